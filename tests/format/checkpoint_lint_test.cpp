#include "format/checkpoint_lint.h"

#include <doctest/doctest.h>

#include "support/error_text.h"
#include "support/sample_checkpoint.h"

using namespace keyshift;
using namespace keyshift::test;
namespace fs = std::filesystem;

namespace {

// "kind file key count message" of each finding.
std::vector<std::string> told(const fs::path& path) {
  std::vector<std::string> out;
  for (const CheckpointFinding& finding : lint_checkpoint(path, {}).findings) {
    out.push_back(std::string(name(finding.fault)) + " [" + finding.file + "] " + finding.key.value_or("-") +
                  " x" + std::to_string(finding.count) + ": " + finding.message);
  }
  return out;
}

std::string index_with(const std::string& places, const std::string& size = "29") {
  return R"({"metadata":{"total_size":)" + size + R"(},"weight_map":{)" + places + "}}";
}

const std::string kFirst = R"("model-00001-of-00002.safetensors")";
const std::string kSecond = R"("model-00002-of-00002.safetensors")";
const std::string kRightPlaces = R"("lm_head.weight":)" + kSecond + R"(,"model.layers.0.mlp.weight":)" +
                                 kFirst + R"(,"model.layers.1.mlp.weight":)" + kFirst +
                                 R"(,"model.norm.weight":)" + kSecond;

using Told = std::vector<std::string>;

}  // namespace

TEST_CASE("F29: a checkpoint in order has no finding") {
  const TemporaryFolder folder;
  CHECK(told(write_sample(folder)).empty());
  CHECK(lint_checkpoint(folder.path() / "source", {}).shards.size() == 2);
}

TEST_CASE("F29: index against headers, one finding for all keys of a kind") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  folder.write("source/" + kIndex,
               index_with(R"("lm_head.weight":)" + kFirst + R"(,"gone":)" + kFirst + R"(,"lost":)" + kFirst +
                              R"(,"model.norm.weight":)" + kSecond,
                          "30"));
  CHECK(told(source) == Told{"key_missing [model.safetensors.index.json] gone x2: promised in " + kFirst +
                                 ", and no shard has it",
                             "key_elsewhere [model.safetensors.index.json] lm_head.weight x1: promised in " +
                                 kFirst + ", and lies in " + kSecond,
                             "key_unlisted [model-00001-of-00002.safetensors] model.layers.0.mlp.weight x2: "
                             "in the shard, and the index "
                             "does not list it; loaders read it all the same",
                             "total_size [model.safetensors.index.json] - x1: metadata.total_size is 30, and "
                             "the tensors have 29 bytes"});
}

TEST_CASE("F29: an index without a total_size") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  folder.write("source/" + kIndex, R"({"metadata":{},"weight_map":{)" + kRightPlaces + "}}");
  CHECK(told(source) == Told{"total_size [model.safetensors.index.json] - x1: there is no "
                             "metadata.total_size; the tensors have 29 bytes"});
}

TEST_CASE("F29: shards that are truncated, missing or stray, and the rest is looked at all the same") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  fs::resize_file(source / kFirstShard, fs::file_size(source / kFirstShard) - 1);
  CHECK(told(source) ==
        Told{"shard_unreadable [model-00001-of-00002.safetensors] - x1: the file is 1 bytes shorter than its "
             "header says "
             "(20 bytes of tensors, 19 are there): the download or the copy was cut, fetch it again"});
  fs::rename(source / kFirstShard, source / "model-00001-of-00003.safetensors");
  const auto missing = told(source);
  REQUIRE(missing.size() == 1);
  CHECK(missing[0] ==
        "shard_missing [model-00001-of-00002.safetensors] - x1: the shard is not there: fetch the file");
  CHECK(lint_checkpoint(source, {}).shards.size() == 1);
}

TEST_CASE("F29: a numbered shard that the index does not name is stray") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  fs::copy_file(source / kFirstShard, source / "model-00001-of-00003.safetensors");
  fs::copy_file(source / kFirstShard, source / "consolidated.safetensors");
  CHECK(told(source) ==
        Told{"shard_stray [model-00001-of-00003.safetensors] - x1: the shard lies among the others, and "
             "the index does not name it"});
}

TEST_CASE("F29: shards without an index, all of them or not") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  fs::remove(source / kIndex);
  CHECK(told(source) == Told{"index_missing [] - x1: 2 shards and no index; `keyshift reindex` writes it"});
  fs::rename(source / kFirstShard, source / "model-00001-of-00003.safetensors");
  fs::rename(source / kSecondShard, source / "model-00002-of-00003.safetensors");
  CHECK(told(source) ==
        Told{"index_missing [] - x1: 2 shards and no index; `keyshift reindex` writes it",
             "shard_missing [] - x1: the names tell of 3 shards, and 2 are here or named by the index"});
}

TEST_CASE("F29: an index that cannot be used") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  folder.write("source/" + kIndex, "[]");
  const auto found = told(source);
  REQUIRE(found.size() == 1);
  CHECK(found[0].starts_with("index_unusable [] - x1: the index cannot be used: " +
                             (source / kIndex).string()));
  fs::remove(source / kIndex);
  folder.write("source/" + kIndex, index_with(kRightPlaces));
  fs::remove(source / kSecondShard);
  fs::create_symlink("/etc/hostname", source / kSecondShard);
  const auto outside = told(source);
  REQUIRE(outside.size() == 2);
  CHECK(outside[0].starts_with("index_unusable [model.safetensors.index.json] - x1: "));
  CHECK(outside[1].starts_with(
      "shard_unreadable [model-00002-of-00002.safetensors] - x1: the shard leads to "));
}

TEST_CASE("F29: a key in two shards, alike and not") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  fs::copy_file(source / kFirstShard, source / kSecondShard, fs::copy_options::overwrite_existing);
  const auto found = told(source);
  REQUIRE(found.size() == 3);
  CHECK(found[1] == "key_in_two_shards [model-00002-of-00002.safetensors] model.layers.0.mlp.weight x2: in " +
                        kFirst + " too, with the same contents");
}

TEST_CASE("F29: what is no checkpoint at all, or not plainly one, is an error") {
  const TemporaryFolder folder;
  CHECK(error_text([&] { lint_checkpoint(folder.path() / "nowhere", {}); }) ==
        (folder.path() / "nowhere").string() + ": does not exist");
  CHECK(error_text([&] { lint_checkpoint(folder.path(), {}); }) ==
        folder.path().string() + ": it holds no .safetensors file");
}
