#include "transforms/throughput.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "support/error_text.h"
#include "transforms/transform_file.h"

using namespace keyshift;

namespace {

std::vector<std::string> keys_of_layers(int layers) {
  std::vector<std::string> keys;
  for (int layer = 0; layer < layers; ++layer) {
    keys.push_back("model.layers." + std::to_string(layer) + ".mlp.weight");
    keys.push_back("model.layers." + std::to_string(layer) + ".norm.weight");
  }
  return keys;
}

std::vector<std::string_view> views(const std::vector<std::string>& keys) {
  return {keys.begin(), keys.end()};
}

TransformTrie trie_of(const std::string& rename) {
  TransformList list;
  list.transforms.push_back(parse_rename_option(rename));
  return TransformTrie(std::make_shared<const Renaming>(list, RenamingOptions{}));
}

}  // namespace

TEST_CASE("a block holds copies of the keys in their order") {
  std::vector<std::string> keys = {"b", "", "a", "b"};
  const KeyBlock block(views(keys));
  keys.assign(4, "x");
  CHECK(block.keys() == std::vector<std::string_view>{"b", "", "a", "b"});
  CHECK(block.bytes() == 3);
}

TEST_CASE("shuffled keys are the same keys in one other order") {
  const std::vector<std::string> keys = keys_of_layers(40);
  std::vector<std::string_view> mixed = shuffled(views(keys));
  CHECK(mixed == shuffled(views(keys)));
  CHECK(mixed != views(keys));
  std::vector<std::string_view> all = views(keys);
  std::sort(all.begin(), all.end());
  std::sort(mixed.begin(), mixed.end());
  CHECK(mixed == all);
}

TEST_CASE("keys and shapes are counted, and every rate is that of passes that were made") {
  const std::vector<std::string> keys = keys_of_layers(40);
  const Throughput result = measure_throughput(trie_of("mlp=>ffn"), views(keys), 0.01, Interrupt());
  CHECK(result.keys == 80);
  CHECK(result.shapes == 4);  // layers of one digit and of two
  CHECK(result.trie > 0);
  CHECK(result.shuffled > 0);
  CHECK(result.rule_by_rule > 0);
}

TEST_CASE("keys that become nothing are measured like others") {
  const std::vector<std::string> keys = {"a", "b"};
  CHECK(measure_throughput(trie_of("^.*$=>"), views(keys), 0.0, Interrupt()).keys == 2);
}

TEST_CASE("a measurement can be interrupted") {
  Interrupt interrupt;
  interrupt.request();
  const std::vector<std::string> keys = {"a"};
  CHECK(test::error_text([&] { measure_throughput(trie_of("a=>b"), views(keys), 1, interrupt); }) ==
        "interrupted; nothing was published");
}
