#include "plan/sort_by_key.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>

using namespace keyshift;

namespace {

// Few letters, so that keys are prefixes of one another, come twice, and differ late.
std::vector<std::string> random_keys(unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::string> keys(random() % 400);
  const std::string prefix(random() % 20, 'p');
  for (std::string& key : keys) {
    key = random() % 50 == 0 ? "" : prefix;
    for (std::size_t parts = random() % 6; parts > 0; --parts)
      key += random() % 3 == 0 ? std::string(1, "\0a\x7f\xff"[random() % 4])
                               : "layers." + std::to_string(random() % 12);
  }
  return keys;
}

// Every key with a place of its own, so that it shows which of two equal ones comes first.
void check_order_of(const std::vector<std::string>& keys) {
  std::vector<std::string> shards;
  for (std::size_t i = 0; i < keys.size(); ++i) shards.push_back(std::to_string(i));
  std::vector<KeyPlace> places;
  for (std::size_t i = 0; i < keys.size(); ++i) places.emplace_back(keys[i], shards[i]);
  std::vector<KeyPlace> expected = places;
  std::stable_sort(expected.begin(), expected.end(),
                   [](const KeyPlace& a, const KeyPlace& b) { return a.first < b.first; });
  sort_by_key(places);
  REQUIRE(places == expected);
}

}  // namespace

TEST_CASE("places are sorted by the bytes of their keys, and those of one key keep their order") {
  for (unsigned seed = 0; seed < 300; ++seed) check_order_of(random_keys(seed));
}

TEST_CASE("a long common prefix and keys of NULs only take no depth") {
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < 3000; ++i)
    keys.push_back(std::string(100'000 * (i % 2), 'a') + std::string(i % 40, '\0'));
  std::vector<KeyPlace> places;
  for (const std::string& key : keys) places.emplace_back(key, "");
  sort_by_key(places);
  CHECK(std::is_sorted(places.begin(), places.end()));
}

TEST_CASE("what is sorted but for a few runs is sorted whatever these runs are") {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < 2000; ++i) keys.push_back("layers." + std::to_string(1000 + random() % 3000));
    std::sort(keys.begin(), keys.end());
    for (std::size_t moves = random() % 6; moves > 0; --moves) {
      const auto from = keys.begin() + static_cast<std::ptrdiff_t>(random() % keys.size());
      std::rotate(from, from + static_cast<std::ptrdiff_t>(random() % (keys.end() - from)), keys.end());
    }
    check_order_of(keys);
  }
}
