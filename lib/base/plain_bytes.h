// How far a text goes without a byte that JSON escapes, sixteen or eight bytes at a time.
#pragma once

#ifdef __SSE2__
#include <immintrin.h>
#endif

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace keyshift {

enum class PlainBytes : std::uint8_t {
  utf8,   // all but ", \ and control characters below 0x20
  ascii,  // of these, printable ASCII
};

namespace plain_bytes {

constexpr std::uint64_t kOnes = 0x0101010101010101, kHigh = 0x8080808080808080;

// The high bit of the lowest byte that is zero, and perhaps of some above it.
constexpr std::uint64_t zero_bytes(std::uint64_t word) noexcept { return (word - kOnes) & ~word & kHigh; }

// The same for the lowest byte that is not plain.
template <PlainBytes plain>
constexpr std::uint64_t others(std::uint64_t word) noexcept {
  const std::uint64_t quotes = zero_bytes(word ^ (kOnes * '"'));
  const std::uint64_t backslashes = zero_bytes(word ^ (kOnes * '\\'));
  const std::uint64_t controls = (word - kOnes * 0x20) & ~word & kHigh;
  const std::uint64_t found = quotes | backslashes | controls;
  return plain == PlainBytes::ascii ? found | ((word | (word + kOnes)) & kHigh) : found;
}

template <PlainBytes plain>
constexpr bool is_plain(char character) noexcept {
  const auto byte = static_cast<unsigned char>(character);
  return byte >= 0x20 && byte != '"' && byte != '\\' && (plain == PlainBytes::utf8 || byte < 0x7F);
}

#ifdef __SSE2__
// A bit for each of 16 bytes that is not plain.
template <PlainBytes plain>
unsigned others16(const char* text) noexcept {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));
  const __m128i quotes =
      _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
  // Signed: what is above 0x7F is below 0x20 too.
  const __m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
  if constexpr (plain == PlainBytes::ascii) {
    const __m128i found = _mm_or_si128(low, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F)));
    return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(quotes, found)));
  }
  const __m128i controls = _mm_andnot_si128(_mm_cmplt_epi8(bytes, _mm_setzero_si128()), low);
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(quotes, controls)));
}
#endif

}  // namespace plain_bytes

/// Number of bytes at the start of `text` that are plain.
template <PlainBytes plain>
std::size_t plain_prefix(std::string_view text) noexcept {
  static_assert(std::endian::native == std::endian::little);
  std::size_t at = 0;
#ifdef __SSE2__
  for (; text.size() - at >= 16; at += 16) {
    if (const unsigned found = plain_bytes::others16<plain>(text.data() + at); found != 0)
      return at + static_cast<std::size_t>(std::countr_zero(found));
  }
#endif
  for (; text.size() - at >= 8; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, 8);
    if (const std::uint64_t found = plain_bytes::others<plain>(word); found != 0)
      return at + static_cast<std::size_t>(std::countr_zero(found)) / 8;
  }
  while (at < text.size() && plain_bytes::is_plain<plain>(text[at])) ++at;
  return at;
}

}  // namespace keyshift
