// The same library as in digest.cpp, but inline: for the few bytes of a key a call costs as much as its hash.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/digest.h"

namespace keyshift {

std::uint64_t hash_of(std::string_view text, std::uint64_t seed) noexcept {
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

}  // namespace keyshift
