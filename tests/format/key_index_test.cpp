#include "format/key_index.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using keyshift::KeyIndex;

TEST_CASE("keys are numbered in the order of their first coming, also while the table grows") {
  std::vector<std::string> keys;
  for (int i = 0; i < 5000; ++i) keys.push_back("model.layers." + std::to_string(i));
  keys.emplace_back("");
  keys.emplace_back(std::string("a\0b", 3));
  keys.emplace_back("a");
  for (const std::size_t expected : {std::size_t{0}, keys.size()}) {
    KeyIndex index(expected);
    for (std::uint32_t i = 0; i < keys.size(); ++i) CHECK(index.insert(keys[i]) == i);
    for (std::uint32_t i = 0; i < keys.size(); ++i) {
      CHECK(index.insert(std::string(keys[i])) == i);
      CHECK(index.find(std::string(keys[i])) == i);
      CHECK(index.key(i) == keys[i]);
    }
    CHECK(index.size() == keys.size());
    CHECK(index.find("model.layers.5000") == KeyIndex::kNone);
  }
}
