// A set of byte positions in a key, for keys of up to 255 bytes (position 255 is the end of the longest one).
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace keyshift {

class PositionSet {
 public:
  static constexpr std::size_t kWords = 4;
  static constexpr std::size_t kLimit = 64 * kWords;  // positions are below this

  /// All positions from `begin` up to, not including, `end`.
  static constexpr PositionSet range(std::size_t begin, std::size_t end) noexcept {
    PositionSet set;
    for (std::size_t i = 0; i < kWords; ++i) set.words_[i] = below(end, i) & ~below(begin, i);
    return set;
  }

  constexpr void insert(std::size_t position) noexcept {
    words_[position / 64] |= std::uint64_t{1} << (position % 64);
  }
  constexpr bool contains(std::size_t position) const noexcept {
    return ((words_[position / 64] >> (position % 64)) & 1U) != 0;
  }
  constexpr bool empty() const noexcept { return (words_[0] | words_[1] | words_[2] | words_[3]) == 0; }
  constexpr std::size_t size() const noexcept {
    std::size_t count = 0;
    for (const std::uint64_t word : words_) count += static_cast<std::size_t>(std::popcount(word));
    return count;
  }
  /// The least position; kLimit if there is none.
  constexpr std::size_t first() const noexcept {
    for (std::size_t i = 0; i < kWords; ++i) {
      if (words_[i] != 0) return i * 64 + static_cast<std::size_t>(std::countr_zero(words_[i]));
    }
    return kLimit;
  }
  constexpr std::uint64_t word(std::size_t i) const noexcept { return words_[i]; }
  /// Bits of the eight positions from `at` on, all below kLimit.
  constexpr std::uint8_t byte_at(std::size_t at) const noexcept {
    const std::uint64_t low = words_[at / 64] >> (at % 64);
    return static_cast<std::uint8_t>(at % 64 > 56 ? low | (words_[at / 64 + 1] << (64 - at % 64)) : low);
  }
  constexpr void set_word(std::size_t i, std::uint64_t word) noexcept { words_[i] = word; }

  constexpr PositionSet& operator|=(const PositionSet& other) noexcept {
    for (std::size_t i = 0; i < kWords; ++i) words_[i] |= other.words_[i];
    return *this;
  }
  constexpr PositionSet& operator&=(const PositionSet& other) noexcept {
    for (std::size_t i = 0; i < kWords; ++i) words_[i] &= other.words_[i];
    return *this;
  }
  constexpr PositionSet& operator-=(const PositionSet& other) noexcept {
    for (std::size_t i = 0; i < kWords; ++i) words_[i] &= ~other.words_[i];
    return *this;
  }
  friend constexpr PositionSet operator|(PositionSet a, const PositionSet& b) noexcept { return a |= b; }
  friend constexpr PositionSet operator&(PositionSet a, const PositionSet& b) noexcept { return a &= b; }
  friend constexpr PositionSet operator-(PositionSet a, const PositionSet& b) noexcept { return a -= b; }
  friend constexpr bool operator==(const PositionSet&, const PositionSet&) noexcept = default;

  /// Calls `visit(position)` in ascending order.
  template <class Visit>
  constexpr void for_each(Visit&& visit) const {
    for (std::size_t i = 0; i < kWords; ++i) {
      for (std::uint64_t left = words_[i]; left != 0; left &= left - 1) {
        visit(i * 64 + static_cast<std::size_t>(std::countr_zero(left)));
      }
    }
  }

 private:
  /// The bits of word `i` that stand for positions below `end`.
  static constexpr std::uint64_t below(std::size_t end, std::size_t i) noexcept {
    if (end <= i * 64) return 0;
    if (end >= (i + 1) * 64) return ~std::uint64_t{0};
    return (std::uint64_t{1} << (end - i * 64)) - 1;
  }

  std::array<std::uint64_t, kWords> words_{};
};

/// The longest key, and the longest text on the way to its new name, that has a shape. Longer ones are
/// renamed one by one.
inline constexpr std::size_t kLongestShape = PositionSet::kLimit - 1;

}  // namespace keyshift
