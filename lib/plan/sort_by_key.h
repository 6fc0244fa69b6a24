// The order of a weight_map: by the bytes of its keys.
#pragma once

#include <span>
#include <string_view>
#include <utility>

namespace keyshift {

/// A key and where it lies.
using KeyPlace = std::pair<std::string_view, std::string_view>;

/// Sorts by key; places of one key stay in their order. Made for key tables: long common prefixes, and keys
/// that lie in groups or are nearly sorted already. What such a table costs is little more than looking at
/// each key once or twice.
void sort_by_key(std::span<KeyPlace> places);

}  // namespace keyshift
