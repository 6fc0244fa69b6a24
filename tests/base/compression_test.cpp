#include "base/compression.h"

#include <doctest/doctest.h>

using namespace keyshift;

TEST_CASE("what was compressed unpacks to the same text") {
  for (const std::string& text :
       {std::string(), std::string("a"), std::string(100'000, '\n'), std::string("\0\xff\n", 3)}) {
    CHECK(decompress(compress(text), text.size()) == text);
  }
}

TEST_CASE("a text that unpacks to more than it says is refused before it fills the memory") {
  CHECK(decompress(compress(std::string(10'000'000, '\0')), 1000) == std::nullopt);
}

TEST_CASE(
    "a text that claims more than its compressed form can hold is refused before there is memory for it") {
  CHECK(decompress(compress("a"), std::size_t{1} << 60U) == std::nullopt);
}

TEST_CASE("a text that unpacks to less than it says is refused") {
  CHECK(decompress(compress("abc"), 4) == std::nullopt);
}

TEST_CASE("what follows a compressed text is refused") {
  CHECK(decompress(compress("abc") + '\0', 3) == std::nullopt);
}

TEST_CASE("what zlib compressed unpacks") {
  // Python: zlib.compress(b"abcabcabc", 9)
  CHECK(decompress(std::string("\x78\xda\x4b\x4c\x4a\x4e\x04\x23\x00\x11\x3d\x03\x73", 13), 9) ==
        "abcabcabc");
}

TEST_CASE("a compressed text that is cut anywhere is refused") {
  const std::string packed = compress("the header of a shard, once more the header of a shard");
  for (std::size_t length = 0; length < packed.size(); ++length) {
    CHECK(decompress(packed.substr(0, length), 54) == std::nullopt);
  }
}

TEST_CASE("base64 is canonical") {
  CHECK(to_base64("") == "");
  CHECK(to_base64("a") == "YQ==");
  CHECK(to_base64("ab") == "YWI=");
  CHECK(to_base64("abc") == "YWJj");
  for (const std::string& text :
       {std::string(), std::string("a"), std::string("ab"), std::string("abc"), std::string("\0\0\0", 3)}) {
    CHECK(from_base64(to_base64(text)) == text);
  }
  for (const char* bad : {"Y", "YQ", "YQ=", "YQ==\n", " YQ==", "YR==", "Y!==", "===="})
    CHECK(from_base64(bad) == std::nullopt);
}
