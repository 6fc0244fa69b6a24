#include "base/sha.h"

#include <doctest/doctest.h>

using namespace keyshift;

namespace {

constexpr const char* kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

}  // namespace

TEST_CASE("SHA-256 and SHA-1 are those of the standard's own examples") {
  CHECK(sha256_of("abc").hex() == kAbc);
  CHECK(sha256_of("").hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  ShaHasher sha1(ShaHasher::Algorithm::sha1);
  sha1.update("abc");
  CHECK(sha1.hex() == "a9993e364706816aba3e25717850c26c9cd0d89d");
}

TEST_CASE("bytes that come in pieces have the SHA of all of them together") {
  ShaHasher hasher;
  hasher.update("a");
  hasher.update("");
  hasher.update("bc");
  CHECK(hasher.value() == sha256_of("abc"));
}

TEST_CASE("a SHA-256 is read from 64 lower-case hex digits and nothing else") {
  CHECK(Sha256::from_hex(kAbc) == sha256_of("abc"));
  CHECK_FALSE(Sha256::from_hex("").has_value());
  CHECK_FALSE(Sha256::from_hex(std::string(kAbc).substr(1)).has_value());
  CHECK_FALSE(Sha256::from_hex(std::string(kAbc) + "0").has_value());
  CHECK_FALSE(Sha256::from_hex("BA" + std::string(kAbc).substr(2)).has_value());
  CHECK_FALSE(Sha256::from_hex("g" + std::string(kAbc).substr(1)).has_value());
}
