#include <array>
#include <bit>
#include <cstring>

#include "transforms/shape.h"

namespace keyshift {
namespace {

using Words = std::array<std::uint64_t, PositionSet::kWords>;

constexpr std::uint64_t each_byte(std::uint64_t byte) { return byte * 0x0101010101010101U; }

/// Bit 7 of each byte of `word` gathered: bit i of the result is that of byte i in memory.
std::uint64_t gather(std::uint64_t word) {
  return (((word >> 7U) & each_byte(1)) * 0x0102040810204080U) >> 56U;
}

struct Classes {
  Words digits{}, dots{};
};

/// Which bytes are ASCII digits, and which are dots: eight bytes at a time.
Classes classify(std::string_view key) noexcept {
  Classes classes;
  for (std::size_t at = 0; at < key.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, key.data() + at, std::min<std::size_t>(8, key.size() - at));
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
    const std::uint64_t low = each_byte(0x7F);
    const std::uint64_t from_zero = word ^ each_byte('0');  // a digit's value, else 10 or more
    const std::uint64_t not_digit = ((from_zero & low) + each_byte(0x80 - 10)) | from_zero;
    const std::uint64_t from_dot = word ^ each_byte('.');
    const std::uint64_t not_dot = ((from_dot & low) + low) | from_dot;
    classes.digits[at / 64] |= gather(~not_digit) << (at % 64);
    classes.dots[at / 64] |= gather(~not_dot) << (at % 64);
  }
  return classes;
}

}  // namespace

PositionSet open_digits(std::string_view key) noexcept {
  PositionSet open;
  if (key.size() > kLongestShape) return open;
  const auto [digits, dots] = classify(key);

  // Adding 1 at the first digit of each part makes the digits there overflow to the first byte that is none:
  // the digits so cleared are those at the start of a part.
  Words overflowed{};
  std::uint64_t part_begins = 1, carry = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const std::uint64_t starts = ((dots[i] << 1U) | part_begins) & digits[i];
    part_begins = dots[i] >> 63U;
    const std::uint64_t sum = digits[i] + starts;
    const std::uint64_t total = sum + carry;
    carry = static_cast<std::uint64_t>(sum < starts) | static_cast<std::uint64_t>(total < sum);
    open.set_word(i, digits[i] & ~total);
    overflowed[i] = total & ~digits[i];
  }

  // A part is purely numeric if they overflowed to a dot or to the key's end.
  for (std::size_t i = 0; i < digits.size(); ++i) {
    for (std::uint64_t left = overflowed[i] & ~dots[i]; left != 0; left &= left - 1) {
      std::size_t at = i * 64 + static_cast<std::size_t>(std::countr_zero(left));
      if (at == key.size()) break;
      PositionSet letters_follow;
      while (at > 0 && open.contains(at - 1)) letters_follow.insert(--at);
      open -= letters_follow;
    }
  }
  return open;
}

}  // namespace keyshift
