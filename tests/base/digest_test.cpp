#include "base/digest.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>

using namespace keyshift;

namespace {

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 7 + 3);
  return text;
}

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

}  // namespace

TEST_CASE("a digest is what xxhsum -H2 prints") {
  CHECK(digest_of("").hex() == "99aa06d3014798d86001c324468d497f");
  CHECK(digest_of("keyshift").hex() == "1c8017aec215d3821515a0c935208670");
  CHECK(digest_of(pattern(1000)).hex() == "6bcc7eff62da44c26c4f14bd97bd9e82");
}

TEST_CASE("bytes that come in pieces have the digest of the whole, wherever they are parted") {
  const std::string text = pattern(1000);
  const Digest whole = digest_of(text);
  Hasher hasher;
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    hasher.reset();
    hasher.update(bytes_of(text).first(cut));
    hasher.update(bytes_of(text).subspan(cut));
    CHECK(hasher.value() == whole);
  }
}

TEST_CASE("asking for the value does not end the counting") {
  Hasher hasher;
  hasher.update(bytes_of("key"));
  CHECK(hasher.value() == digest_of("key"));
  hasher.update(bytes_of("shift"));
  CHECK(hasher.value() == digest_of("keyshift"));
}

TEST_CASE("a digest is read back from its hex text and from nothing else") {
  const Digest digest = digest_of("keyshift");
  CHECK(Digest::from_hex(digest.hex()) == digest);
  CHECK_FALSE(Digest::from_hex(""));
  CHECK_FALSE(Digest::from_hex("1c8017aec215d3821515a0c93520867"));    // short
  CHECK_FALSE(Digest::from_hex("1c8017aec215d3821515a0c9352086700"));  // long
  CHECK_FALSE(Digest::from_hex("1C8017AEC215D3821515A0C935208670"));   // upper case
  CHECK_FALSE(Digest::from_hex("1c8017aec215d382+515a0c935208670"));
  CHECK_FALSE(Digest::from_hex(" c8017aec215d3821515a0c935208670"));
}

TEST_CASE("the hash of tables depends on text and seed") {
  CHECK(hash_of("key", 1) == hash_of("key", 1));
  CHECK(hash_of("key", 1) != hash_of("key", 2));
  CHECK(hash_of("key", 1) != hash_of("kez", 1));
}
