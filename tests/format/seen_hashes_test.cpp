#include "format/seen_hashes.h"

#include <doctest/doctest.h>

#include <vector>

using namespace keyshift;

TEST_CASE("a hash is new once, also while the table grows") {
  SeenHashes seen(0);
  for (std::uint64_t hash = 2; hash < 20'000; hash += 2) CHECK(seen.insert(hash * 0x9E3779B97F4A7C15U));
  for (std::uint64_t hash = 2; hash < 20'000; hash += 2) CHECK(!seen.insert(hash * 0x9E3779B97F4A7C15U));
}

TEST_CASE("whether one of many hashes comes twice") {
  std::vector<std::uint64_t> hashes;
  for (std::uint64_t i = 1; i < 1000; ++i) hashes.push_back(i << 20U);
  CHECK(!some_repeat(hashes));
  CHECK(!some_repeat({}));
  for (const std::size_t at : {0U, 17U, 998U}) {
    std::vector<std::uint64_t> repeated = hashes;
    repeated.push_back(hashes[at]);
    CHECK(some_repeat(repeated));
  }
}
