// JSON's numbers, judged as serde_json judges them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace keyshift::json {

enum class NumberFault : std::uint8_t {
  none,
  grammar,       // not a number of JSON: 01, +1, .5, 5., 1e, 0x10 …
  out_of_range,  // larger than any f64: 1e400
};

/// The verdict on a whole token. A number is out of range exactly where serde_json (without its feature
/// float_roundtrip, as the safetensors library uses it) says so; its way to compute an f64 is followed.
NumberFault check_number(std::string_view token) noexcept;

/// The value of 1 to 20 digits without a leading zero that is below 2^64; nullopt for any other text.
std::optional<std::uint64_t> parse_u64(std::string_view token) noexcept;

}  // namespace keyshift::json
