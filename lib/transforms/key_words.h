// A key as words of eight bytes, for loops that know nothing of the machine.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace keyshift {

namespace key_words {

inline std::uint64_t load(const char* text) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, text, sizeof word);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

// Of fewer than eight bytes, of which some may be read twice but none outside.
inline std::uint64_t load_few(const char* text, std::size_t size) noexcept {
  const auto byte = [&](std::size_t at) {
    return std::uint64_t{static_cast<unsigned char>(text[at])} << (8 * at);
  };
  if (size >= 4) {
    std::uint32_t first = 0, last = 0;
    std::memcpy(&first, text, 4);
    std::memcpy(&last, text + size - 4, 4);
    if constexpr (std::endian::native == std::endian::big) {
      first = __builtin_bswap32(first);
      last = __builtin_bswap32(last);
    }
    return first | (std::uint64_t{last} << (8 * (size - 4)));
  }
  return size == 0 ? 0 : byte(0) | byte(size / 2) | byte(size - 1);
}

}  // namespace key_words

/// Calls visit(word, at) for eight bytes from `at` on, the first byte lowest, until every byte was in one.
/// Lengths that are near to each other take the same steps: a loop whose end cannot be guessed costs more
/// than to see some bytes twice.
template <class Visit>
void for_each_word(std::string_view key, Visit&& visit) {
  const std::size_t size = key.size();
  const auto see = [&](std::size_t at) { visit(key_words::load(key.data() + at), at); };
  const auto see_both_ends = [&](std::size_t bytes) {
    for (std::size_t at = 0; at < bytes; at += 8) {
      see(at);
      see(size - bytes + at);
    }
  };
  if (size > 64) {
    for (std::size_t at = 0; at + 8 < size; at += 8) see(at);
    see(size - 8);
  } else if (size >= 32) {
    see_both_ends(32);
  } else if (size >= 16) {
    see_both_ends(16);
  } else if (size >= 8) {
    see_both_ends(8);
  } else {
    visit(key_words::load_few(key.data(), size), 0);
  }
}

}  // namespace keyshift
