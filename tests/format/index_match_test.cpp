#include "format/index_match.h"

#include <doctest/doctest.h>

#include <numeric>
#include <string>
#include <vector>

#include "support/shard_builder.h"
#include "support/temporary_folder.h"

using namespace keyshift;
using namespace keyshift::test;

namespace {

const std::string kOne = "1.safetensors", kTwo = "2.safetensors";

// The tensors a, b and c, d in two shards.
std::vector<Shard> two_shards(const TemporaryFolder& folder, const std::string& last = "d") {
  folder.write(kOne, shard_of({{"a", "1"}, {"b", "2"}}));
  folder.write(kTwo, shard_of({{"c", "3"}, {last, "4"}}));
  std::vector<Shard> shards;
  for (const std::string& name : {kOne, kTwo}) shards.push_back(Shard::open(folder.path() / name, name));
  return shards;
}

using Order = std::vector<std::uint32_t>;

Order matched(const std::vector<Shard>& shards, const std::vector<WeightMap::Entry>& listed) {
  std::string text;
  for (const auto& [key, shard] : listed)
    text += (text.empty() ? "\"" : ",\"") + std::string(key) + "\":\"" + std::string(shard) + "\"";
  const Index index = read_index(R"({"metadata":{},"weight_map":{)" + text + "}}", "i.json");
  Order order;
  for (const unsigned jobs : {1U, 3U}) {
    const auto found = match_index(index, shards, jobs);
    if (jobs > 1) CHECK(order == Order(found.begin(), found.end()));
    order.assign(found.begin(), found.end());
  }
  return order;
}

}  // namespace

TEST_CASE("an index and headers that say the same give the tensors in the order of the index") {
  const TemporaryFolder folder;
  const std::vector<Shard> shards = two_shards(folder);
  CHECK(matched(shards, {{"a", kOne}, {"b", kOne}, {"c", kTwo}, {"d", kTwo}}) == Order{0, 1, 2, 3});
  CHECK(matched(shards, {{"d", kTwo}, {"b", kOne}, {"a", kOne}, {"c", kTwo}}) == Order{3, 1, 0, 2});
}

TEST_CASE("an index that lists a tensor too few, too many, elsewhere or under another name is no match") {
  const TemporaryFolder folder;
  const std::vector<Shard> shards = two_shards(folder);
  CHECK(matched(shards, {{"a", kOne}, {"b", kOne}, {"c", kTwo}}).empty());
  CHECK(matched(shards, {{"a", kOne}, {"b", kOne}, {"c", kTwo}, {"d", kTwo}, {"e", kTwo}}).empty());
  CHECK(matched(shards, {{"a", kOne}, {"b", kTwo}, {"c", kTwo}, {"d", kTwo}}).empty());
  CHECK(matched(shards, {{"a", kOne}, {"b", kOne}, {"c", kTwo}, {"e", kTwo}}).empty());
}

TEST_CASE("a key that lies in two shards is no match, though the numbers of keys are the same") {
  const TemporaryFolder folder;
  const std::vector<Shard> shards = two_shards(folder, "a");
  CHECK(matched(shards, {{"a", kTwo}, {"b", kOne}, {"c", kTwo}, {"d", kTwo}}).empty());
  CHECK(matched(shards, {{"a", kOne}, {"b", kOne}, {"c", kTwo}, {"d", kTwo}}).empty());
}
