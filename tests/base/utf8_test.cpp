#include "base/utf8.h"

#include <doctest/doctest.h>

#include <array>

using namespace keyshift;

TEST_CASE("every code point is written and read back, and only as a whole is it valid") {
  int failures = 0;
  for (char32_t codepoint = 0; codepoint <= 0x10FFFF; ++codepoint) {
    if (codepoint >= 0xD800 && codepoint <= 0xDFFF) continue;
    std::string text;
    utf8::append(text, codepoint);
    const bool whole = utf8::valid_length(text) == text.size() && utf8::decode(text) == codepoint &&
                       utf8::find_invalid(text) == std::string_view::npos;
    const bool cut = utf8::valid_length(std::string_view(text).substr(0, text.size() - 1)) == 0;
    failures += whole && cut ? 0 : 1;
  }
  CHECK(failures == 0);
}

TEST_CASE("as many sequences are valid as there are code points") {
  // Of every two, three and four bytes with a lead byte in front: what is not one of the code points above
  // (overlong, surrogate, too large, no continuation) must be refused.
  std::size_t two = 0, three = 0, four = 0;
  std::string text(4, '\x80');
  for (int lead = 0xC0; lead < 0x100; ++lead) {
    for (int second = 0; second < 0x100; ++second) {
      text[0] = static_cast<char>(lead);
      text[1] = static_cast<char>(second);
      // Continuation bytes behind the second do not depend on one another.
      const std::size_t length = utf8::valid_length(text);
      two += length == 2 ? 1 : 0;
      three += length == 3 ? 64 : 0;
      four += length == 4 ? std::size_t{64} * 64 : 0;
    }
  }
  CHECK(two == 0x800 - 0x80);
  CHECK(three == 0x10000 - 0x800 - 0x800);
  CHECK(four == 0x110000 - 0x10000);
}

TEST_CASE("the first invalid sequence is found at its offset") {
  constexpr std::array<std::string_view, 9> kInvalid = {
      "\x80",         "\xC0\x80",         "\xC1\xBF",         "\xE0\x9F\xBF",
      "\xED\xA0\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF8\x88\x80\x80",
      "\xE2\x82",
  };
  for (const std::string_view invalid : kInvalid) {
    CHECK(utf8::find_invalid("é€" + std::string(invalid) + "x") == 5);
    CHECK(utf8::valid_length(invalid) == 0);
  }
  CHECK(utf8::valid_length("") == 0);
}

TEST_CASE("code points are counted, and boundaries found between them") {
  CHECK(utf8::count_codepoints("aé€😀") == 4);
  const std::string_view text = "a€b";
  constexpr std::array<std::size_t, 7> kBoundaries = {0, 1, 1, 1, 4, 5, 6};
  for (std::size_t i = 0; i < kBoundaries.size(); ++i) CHECK(utf8::floor_boundary(text, i) == kBoundaries[i]);
}

TEST_CASE("an invalid byte is found at every place of a long text") {
  for (const char* valid : {"a", "\xC3\xA9"}) {
    std::string text;
    while (text.size() < 150) text += valid;
    CHECK(utf8::find_invalid(text) == std::string_view::npos);
    for (std::size_t at = 0; at <= text.size(); at += std::string_view(valid).size()) {
      std::string broken = text;
      broken.insert(at, 1, '\xff');
      CHECK(utf8::find_invalid(broken) == at);
      CHECK(utf8::find_invalid(std::string_view(text).substr(0, at)) == std::string_view::npos);
    }
  }
}
