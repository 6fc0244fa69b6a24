// A range of a file, handed on piece by piece as pread gives it: nothing that the engine uses.
#pragma once

#include <cstdint>
#include <span>

#include "base/function_ref.h"
#include "base/interrupt.h"
#include "base/mapped_file.h"

namespace keyshift {

/// Errors: io with the offset; source_changed, where the file changed in the meantime; interrupted.
void read_file(const MappedFile& file, std::uint64_t offset, std::uint64_t size, const Interrupt& interrupt,
               function_ref<void(std::span<const std::byte>)> use);

}  // namespace keyshift
