// Two ranges of two files, compared byte by byte through pread: no mapping, no digest, nothing that the
// engine uses.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

#include "base/interrupt.h"

namespace keyshift {

/// A range of an open file; borrows the descriptor.
struct FileRange {
  int descriptor = -1;
  const std::filesystem::path& path;  // for messages
  std::uint64_t offset = 0;           // bytes from the start of the file
  std::uint64_t size = 0;             // bytes
};

/// The offset (bytes into the ranges, which must be of one size) of the first byte that differs; nullopt if
/// none does. `advance` is told how many bytes were compared. Errors: io, interrupted.
std::optional<std::uint64_t> first_difference(const FileRange& a, const FileRange& b,
                                              const std::function<void(std::uint64_t)>& advance,
                                              const Interrupt& interrupt);

}  // namespace keyshift
