#include "base/utf8.h"

#include <array>
#include <cstring>

namespace keyshift::utf8 {

namespace {

constexpr bool is_continuation(unsigned char byte) { return (byte & 0xC0U) == 0x80U; }

// Where `text` holds the first byte above 0x7F from `at` on, or a little before.
std::size_t skip_ascii(std::string_view text, std::size_t at) noexcept {
  constexpr std::uint64_t kHigh = 0x8080808080808080;
  for (std::array<std::uint64_t, 4> words; text.size() - at >= sizeof(words); at += sizeof(words)) {
    std::memcpy(words.data(), text.data() + at, sizeof(words));
    if (((words[0] | words[1] | words[2] | words[3]) & kHigh) != 0) break;
  }
  return at;
}

}  // namespace

std::size_t valid_length(std::string_view text) noexcept {
  if (text.empty()) return 0;
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = at(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_continuation(at(i))) return 0;
  }
  const unsigned char second = at(1);
  if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F)) return 0;
  if ((lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) return 0;
  return length;
}

std::size_t find_invalid(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = valid_length(text.substr(i));
    if (length == 0) return i;
    i += length;
    if (length == 1 && i < text.size()) i = skip_ascii(text, i);
  }
  return std::string_view::npos;
}

char32_t decode(std::string_view text) noexcept {
  const std::size_t length = valid_length(text);
  const auto lead = static_cast<unsigned char>(text[0]);
  if (length <= 1) return lead;
  char32_t codepoint = lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    codepoint = (codepoint << 6U) | (static_cast<unsigned char>(text[i]) & 0x3FU);
  }
  return codepoint;
}

void append(std::string& out, char32_t codepoint) {
  const auto push = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (codepoint < 0x80) {
    push(codepoint);
  } else if (codepoint < 0x800) {
    push(0xC0U | (codepoint >> 6U));
    push(0x80U | (codepoint & 0x3FU));
  } else if (codepoint < 0x10000) {
    push(0xE0U | (codepoint >> 12U));
    push(0x80U | ((codepoint >> 6U) & 0x3FU));
    push(0x80U | (codepoint & 0x3FU));
  } else {
    push(0xF0U | (codepoint >> 18U));
    push(0x80U | ((codepoint >> 12U) & 0x3FU));
    push(0x80U | ((codepoint >> 6U) & 0x3FU));
    push(0x80U | (codepoint & 0x3FU));
  }
}

std::size_t count_codepoints(std::string_view text) noexcept {
  std::size_t count = 0;
  for (const char c : text) count += is_continuation(static_cast<unsigned char>(c)) ? 0 : 1;
  return count;
}

std::size_t floor_boundary(std::string_view text, std::size_t offset) noexcept {
  while (offset > 0 && offset < text.size() && is_continuation(static_cast<unsigned char>(text[offset])))
    --offset;
  return offset;
}

}  // namespace keyshift::utf8
