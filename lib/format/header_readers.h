// The two readers behind Header::read: a fast one for the plain form, and one for everything that JSON
// allows.
//
// Whatever the first one takes, the second one reads to the same Header; a property test holds them together.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "format/header.h"

namespace keyshift {

/// As Header::read, through the JSON reader.
Header read_any_header(std::span<const std::byte> file_bytes, const std::string& file_name);

/// Reads a header of the form in which the safetensors library writes it: compact, dtype, shape and
/// data_offsets in this order, `__metadata__` first, strings of printable ASCII without escapes, no key
/// twice. nullopt: it is not of this form, and nothing is said about whether it is valid. Errors: of the
/// length (F1 … F3) and of the layout (F9 …), as the general reader gives them.
std::optional<Header> read_plain_header(std::span<const std::byte> file_bytes, const std::string& file_name);

}  // namespace keyshift
