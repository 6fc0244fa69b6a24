// write_index() for who has sorted already.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "format/index.h"

namespace keyshift {

/// As write_index(); `weight_map` is sorted by the bytes of its keys.
std::string write_sorted_index(std::span<const WeightMap::Entry> weight_map, std::uint64_t total_size,
                               const json::Node& metadata);

}  // namespace keyshift
