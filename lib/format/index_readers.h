// The two readers behind read_index: a fast one for the plain form, and one for everything that JSON allows.
//
// Whatever the first one takes, the second one reads to the same Index; a property test holds them together.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "format/index.h"

namespace keyshift {

/// As read_index, through the JSON reader.
Index read_any_index(std::string_view text, const std::string& file_name);

/// Reads an index that is metadata and weight_map, in this order and nothing else: metadata is integers,
/// strings are printable ASCII without escapes, nothing is named twice, the shards' names are safe; any white
/// space. nullopt: it is not of this form, and nothing is said about whether it is valid.
std::optional<Index> read_plain_index(const SharedText& text);

}  // namespace keyshift
