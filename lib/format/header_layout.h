// The sweep over a header's tensors in the order of the data section: FORMAT.md, F9 … F12.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "format/header.h"

namespace keyshift {

/// Checks that `tensors` fill the data section without hole or overlap, each with the size that its shape and
/// dtype ask for. Returns their indices in the order of the data section (ties in text order). Errors:
/// offsets_invalid, size_overflow, size_misaligned, size_mismatch, data_not_covered.
std::vector<std::uint32_t> check_layout(std::span<const TensorInfo> tensors, std::uint64_t data_start,
                                        std::uint64_t file_size, const std::string& file_name);

}  // namespace keyshift
