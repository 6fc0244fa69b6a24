#include "base/plain_bytes.h"

#include <doctest/doctest.h>

#include <random>
#include <string>

#include "base/text_builder.h"

using namespace keyshift;

namespace {

template <PlainBytes plain>
std::size_t slowly(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && plain_bytes::is_plain<plain>(text[at])) ++at;
  return at;
}

}  // namespace

TEST_CASE("every byte at every place is told from plain ones") {
  for (std::size_t size = 1; size < 40; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(size, 'a');
        text[at] = static_cast<char>(byte);
        REQUIRE(plain_prefix<PlainBytes::utf8>(text) == slowly<PlainBytes::utf8>(text));
        REQUIRE(plain_prefix<PlainBytes::ascii>(text) == slowly<PlainBytes::ascii>(text));
      }
    }
  }
}

TEST_CASE("the first of several bytes that are not plain is found") {
  std::mt19937 random(1);
  for (int i = 0; i < 20000; ++i) {
    std::string text(random() % 40, 'a');
    for (char& byte : text)
      if (random() % 4 == 0) byte = static_cast<char>(random());
    REQUIRE(plain_prefix<PlainBytes::utf8>(text) == slowly<PlainBytes::utf8>(text));
    REQUIRE(plain_prefix<PlainBytes::ascii>(text) == slowly<PlainBytes::ascii>(text));
  }
}

TEST_CASE("a text is put together in less room than was expected, and in more") {
  for (const std::size_t expected : {0, 1, 1000}) {
    TextBuilder text(expected);
    text.reserve(1 + TextBuilder::kLongestNumber);
    text.add("<");
    text.add(std::uint64_t{18446744073709551615U});
    text.add_string<PlainBytes::utf8>("plain \xC3\xA9", 1);
    text.add(">");
    text.add_string<PlainBytes::utf8>("a\"\n", 0);
    text.add_string<PlainBytes::ascii>("\xC3\xA9", 0);
    text.add(std::string_view());
    text.add_string<PlainBytes::utf8>(std::string_view(), 0);
    CHECK(text.finish() == "<18446744073709551615\"plain \xC3\xA9\">\"a\\\"\\n\"\"\\u00e9\"\"\"");
  }
}
