// The open digits of a key (shape.h) from the bits of its digits and of its dots, a bit for each byte.
#pragma once

namespace keyshift::open_bits {

/// Clears in `numbers` those runs of digits that something other than a dot or the end follows; `at` are the
/// bytes that follow them.
template <class Word>
inline Word without_runs_before(Word numbers, Word at) noexcept {
  while (at != 0) {
    Word digit = (at & (~at + 1)) >> 1U;
    for (; (numbers & digit) != 0; digit >>= 1U) numbers &= ~digit;
    at &= at - 1;
  }
  return numbers;
}

/// `end`: the bit behind the key, if the word has one.
template <class Word>
__attribute__((always_inline)) inline Word find(Word digits, Word dots, Word end) noexcept {
  // Adding 1 at the first digit of each part makes the digits there overflow to the first byte that is none:
  // the digits so cleared are those at the start of a part.
  const Word starts = ((dots << 1U) | 1U) & digits;
  const Word sum = digits + starts;
  const Word numbers = digits & ~sum;
  // A part is purely numeric if they overflowed to a dot or to the key's end.
  const Word followed_by_others = sum & ~digits & ~(dots | end);
  if (__builtin_expect(followed_by_others != 0, 0)) return without_runs_before(numbers, followed_by_others);
  return numbers;
}

}  // namespace keyshift::open_bits
