#include "tools/commands/name_hashes.h"

#include <doctest/doctest.h>

#include <string>

using keyshift::tools::NameHashes;

namespace {

// Names of `size` bytes that differ in their last three, or in their first ones.
bool many_differ(std::size_t expected, std::size_t size, bool at_end) {
  NameHashes hashes(expected);
  std::string name(size, 'x');
  for (char a = 'a'; a <= 'z'; ++a) {
    for (char b = 'a'; b <= 'z'; ++b) {
      for (char c = 'a'; c <= 'z'; ++c) {
        name.replace(at_end ? size - 3 : 0, 3, {a, b, c});
        hashes.add(name);
      }
    }
  }
  return !hashes.may_repeat();
}

}  // namespace

TEST_CASE("names of any length that differ are told apart, wherever they do") {
  for (std::size_t size = 3; size <= 140; size += size < 70 ? 1 : 7) {
    CAPTURE(size);
    CHECK(many_differ(26 * 26 * 26, size, true));
    CHECK(many_differ(26 * 26 * 26, size, false));
  }
}

TEST_CASE("more names may come than were expected, and fewer") {
  CHECK(many_differ(0, 9, true));
  CHECK(many_differ(1'000'000, 9, true));
  CHECK_FALSE(NameHashes(0).may_repeat());
}

TEST_CASE("a name that is given twice is found, however many lie between") {
  for (const std::size_t expected : {std::size_t{0}, std::size_t{100'000}}) {
    for (const std::size_t size : {0, 1, 15, 16, 31, 32, 33, 64, 65, 300}) {
      NameHashes hashes(expected);
      hashes.add(std::string(size, 'x'));
      for (int i = 0; i < 100'000; ++i) hashes.add("name." + std::to_string(i));
      CHECK_FALSE(hashes.may_repeat());
      hashes.add(std::string(size, 'x'));
      CHECK(hashes.may_repeat());
    }
  }
}
