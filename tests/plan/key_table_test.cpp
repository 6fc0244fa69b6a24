#include "plan/key_table.h"

#include <doctest/doctest.h>

#include "support/error_text.h"
#include "support/sample_checkpoint.h"
#include "transforms/transform_file.h"

using namespace keyshift;
using namespace keyshift::test;

namespace {

TransformTrie trie_of(const std::vector<std::string>& renames, Direction direction = Direction::load) {
  TransformList list;
  for (const std::string& rename : renames) list.transforms.push_back(parse_rename_option(rename));
  RenamingOptions options;
  options.direction = direction;
  options.used.which = UsedTransforms::Which::all;
  return TransformTrie(std::make_shared<const Renaming>(list, options));
}

}  // namespace

TEST_CASE("rows stand in the order of shards and of their headers") {
  const TemporaryFolder folder;
  const Checkpoint checkpoint = Checkpoint::open(write_sample(folder));
  const TransformTrie trie = trie_of({"^model=>m", "nothing=>x"});
  const KeyTable table = KeyTable::rename(checkpoint, trie);
  REQUIRE(table.size() == 4);
  CHECK(table.row(0).from == "model.layers.0.mlp.weight");
  CHECK(table.row(0).to == "m.layers.0.mlp.weight");
  CHECK(table.row(3).from == "lm_head.weight");
  CHECK(table.row(3).to == "lm_head.weight");
  CHECK(table.row(3).shard == 1);
  CHECK(table.row(3).tensor == 1);
  CHECK(table.used() == std::vector<bool>{true, false});
  CHECK(table.changed() == 3);
}

TEST_CASE("a table that is renamed again keeps the old keys of the first time") {
  const TemporaryFolder folder;
  const Checkpoint checkpoint = Checkpoint::open(write_sample(folder));
  const TransformTrie load = trie_of({"^model=>^m"});
  const TransformTrie save = trie_of({"^model=>^m"}, Direction::save);
  const KeyTable loaded = KeyTable::rename(checkpoint, load);
  const KeyTable saved = loaded.renamed_again(save);
  CHECK(saved.row(0).from == "model.layers.0.mlp.weight");
  CHECK(saved.row(0).to == "model.layers.0.mlp.weight");
  CHECK(saved.changed() == 0);
}

TEST_CASE("an unchanged empty key is accepted, for the format accepts it") {
  const TemporaryFolder folder;
  const auto file = folder.write("a.safetensors", shard_of({{"", "1"}, {"x", "2"}}));
  const Checkpoint checkpoint = Checkpoint::open(file);
  const TransformTrie trie = trie_of({"x=>y"});
  KeyTable::rename(checkpoint, trie).check();
}

TEST_CASE("collisions are found whoever comes first") {
  const auto found = find_collisions(std::vector<std::string_view>{"a", "b", "a", "c", "b", "a"});
  REQUIRE(found.size() == 3);
  CHECK(found[0].first == 0);
  CHECK(found[0].second == 2);
  CHECK(found[1].first == 1);
  CHECK(found[1].second == 4);
  CHECK(found[2].second == 5);
  CHECK(find_collisions({}).empty());
}

TEST_CASE("every later key that equals an earlier one is told with the first such") {
  std::vector<std::string> keys;
  for (int i = 0; i < 1000; ++i) keys.push_back(std::to_string(i % 700));
  const std::vector<Collision> found =
      find_collisions(std::vector<std::string_view>(keys.begin(), keys.end()));
  REQUIRE(found.size() == 300);
  for (std::size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i].first == i);
    CHECK(found[i].second == 700 + i);
  }
  CHECK(find_collisions(std::vector<std::string_view>(keys.begin(), keys.begin() + 700)).empty());
  CHECK(find_collisions({}).empty());
}
