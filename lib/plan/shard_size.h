// Sizes of shards as huggingface_hub reads them: "5GB".
#pragma once

#include <cstdint>
#include <string_view>

namespace keyshift {

/// Bytes. A number (fractions and exponents allowed) and one of KB, MB, GB, TB, powers of 1000, in whatever
/// case. Errors: usage.
std::uint64_t parse_shard_size(std::string_view text);

}  // namespace keyshift
