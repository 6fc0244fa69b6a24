#ifdef __SSE2__
#include <immintrin.h>
#endif

#include <array>
#include <bit>

#include "transforms/key_words.h"
#include "transforms/open_bits.h"
#include "transforms/shape.h"

namespace keyshift {
namespace {

using Words = std::array<std::uint64_t, PositionSet::kWords>;

constexpr std::uint64_t each_byte(std::uint64_t byte) { return byte * 0x0101010101010101U; }

/// Bit 7 of each byte of `word` gathered: bit i of the result is that of byte i in memory.
std::uint64_t gather(std::uint64_t word) {
  return (((word >> 7U) & each_byte(1)) * 0x0102040810204080U) >> 56U;
}

/// Bits of the ASCII digits and of the dots among eight bytes.
std::uint64_t digits_of(std::uint64_t word) {
  const std::uint64_t from_zero = word ^ each_byte('0');  // a digit's value, else 10 or more
  return gather(~(((from_zero & each_byte(0x7F)) + each_byte(0x80 - 10)) | from_zero));
}
std::uint64_t dots_of(std::uint64_t word) {
  const std::uint64_t from_dot = word ^ each_byte('.');
  return gather(~(((from_dot & each_byte(0x7F)) + each_byte(0x7F)) | from_dot));
}

struct Bits {
  std::uint64_t digits = 0, dots = 0;
};

Bits bits_of_one_word(std::string_view key) noexcept {
  Bits bits;
#ifdef __SSE2__
  const auto see = [&](std::size_t at) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(key.data() + at));
    const __m128i value = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
    const __m128i digits = _mm_cmpeq_epi8(_mm_min_epu8(value, _mm_set1_epi8(9)), value);
    const __m128i dots = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('.'));
    bits.digits |= std::uint64_t{static_cast<unsigned>(_mm_movemask_epi8(digits))} << at;
    bits.dots |= std::uint64_t{static_cast<unsigned>(_mm_movemask_epi8(dots))} << at;
  };
  if (key.size() >= 16) {
    see(0);
    see(key.size() - 16);
    if (key.size() <= 32) return bits;
    see(16);
    see(key.size() - 32);
    return bits;
  }
#endif
  for_each_word(key, [&](std::uint64_t word, std::size_t at) {
    bits.digits |= digits_of(word) << at;
    bits.dots |= dots_of(word) << at;
  });
  return bits;
}

PositionSet open_digits_of_one_word(std::string_view key) noexcept {
  const Bits bits = bits_of_one_word(key);
  const std::uint64_t end = key.size() < 64 ? std::uint64_t{1} << key.size() : 0;
  PositionSet open;
  open.set_word(0, open_bits::find(bits.digits, bits.dots, end));
  return open;
}

}  // namespace

PositionSet open_digits(std::string_view key) noexcept {
  if (key.size() <= 64) return open_digits_of_one_word(key);
  PositionSet open;
  if (key.size() > kLongestShape) return open;
  Words digits{}, dots{};
  const auto set = [](Words& words, std::uint64_t bits, std::size_t at) {
    words[at / 64] |= bits << (at % 64);
    if (at % 64 > 56) words[at / 64 + 1] |= bits >> (64 - at % 64);
  };
  for_each_word(key, [&](std::uint64_t word, std::size_t at) {
    set(digits, digits_of(word), at);
    set(dots, dots_of(word), at);
  });

  // As open_bits::find(), over several words.
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
