#include "format/checkpoint.h"

#include <doctest/doctest.h>

#include "support/error_text.h"
#include "support/sample_checkpoint.h"

using namespace keyshift;
using namespace keyshift::test;
namespace fs = std::filesystem;

namespace {

using Names = std::vector<std::string>;

std::string failure(const fs::path& path, const OpenOptions& options = {}) {
  return error_text([&] { Checkpoint::open(path, options); });
}

// An index with these places, and the total_size of the sample.
std::string index_with(const std::string& places) {
  return R"({"metadata":{"total_size":29},"weight_map":{)" + places + "}}";
}

const std::string kRightPlaces =
    R"("lm_head.weight":"model-00002-of-00002.safetensors","model.layers.0.mlp.weight":"model-00001-of-00002.safetensors",)"
    R"("model.layers.1.mlp.weight":"model-00001-of-00002.safetensors","model.norm.weight":"model-00002-of-00002.safetensors")";

}  // namespace

TEST_CASE("a checkpoint is opened with all its headers, whatever the number of threads") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  for (const unsigned jobs : {1U, 2U, 8U}) {
    const Checkpoint checkpoint = Checkpoint::open(source, {.jobs = jobs});
    REQUIRE(checkpoint.shards().size() == 2);
    CHECK(checkpoint.shards()[0].name() == kFirstShard);
    CHECK(checkpoint.shards()[1].name() == kSecondShard);
    CHECK(checkpoint.tensor_count() == 4);
    CHECK(checkpoint.total_size() == 29);
    CHECK(checkpoint.index()->total_size == 29);
    CHECK(checkpoint.index_text() == read_file(source / kIndex));
    CHECK(checkpoint.warnings().empty());
  }
}

TEST_CASE("F27: an index that promises a key which no shard has is refused") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  folder.write("source/" + kIndex,
               index_with(kRightPlaces + R"(,"gone":"model-00002-of-00002.safetensors")"));
  CHECK(failure(source) == (source / kIndex).string() +
                               ": key \"gone\": the index promises the key in "
                               "\"model-00002-of-00002.safetensors\", and no shard has it: a shard "
                               "is stale or of another model; fetch the shards again, or write the index "
                               "that they deserve with `keyshift "
                               "reindex`");
  const Checkpoint tolerated = Checkpoint::open(source, {.tolerate_index_mismatch = true});
  CHECK(tolerated.warnings() == Names{"model.safetensors.index.json: \"gone\" is promised in "
                                      "\"model-00002-of-00002.safetensors\", and no shard has it"});
  folder.write(
      "source/" + kIndex,
      index_with(kRightPlaces +
                 R"(,"gone":"model-00002-of-00002.safetensors","gone2":"model-00002-of-00002.safetensors")"));
  CHECK(failure(source).find("no shard has it (2 such keys): a shard") != std::string::npos);
}

TEST_CASE("F27: keys in other shards, keys that are not listed and a wrong total_size are told") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  folder.write(
      "source/" + kIndex,
      R"({"metadata":{"total_size":30},"weight_map":{"lm_head.weight":"model-00001-of-00002.safetensors",)"
      R"("model.norm.weight":"model-00002-of-00002.safetensors"}})");
  CHECK(Checkpoint::open(source).warnings() ==
        Names{"model.safetensors.index.json: \"lm_head.weight\" is in \"model-00002-of-00002.safetensors\", "
              "not in "
              "\"model-00001-of-00002.safetensors\"; the shards decide",
              "model.safetensors.index.json: \"model.layers.0.mlp.weight\" in "
              "\"model-00001-of-00002.safetensors\" is not "
              "listed (2 such keys); loaders read it all the same",
              "model.safetensors.index.json: metadata.total_size is 30, and the tensors have 29 bytes"});
}

TEST_CASE("F27: a key in two shards is refused where the two differ") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  const std::string second = (source / kSecondShard).string();
  const auto with_norm = [&](const std::string& bytes, std::string_view json = "") {
    folder.write("source/" + kFirstShard,
                 json.empty() ? shard_of({{"model.norm.weight", bytes}}) : shard_file(json, bytes));
    folder.write("source/" + kIndex,
                 R"({"metadata":{},"weight_map":{"lm_head.weight":"model-00002-of-00002.safetensors",)"
                 R"("model.norm.weight":"model-00001-of-00002.safetensors"}})");
  };
  with_norm("NORM");
  CHECK(failure(source) ==
        second +
            ": byte 40: key \"model.norm.weight\": the key is in \"model-00001-of-00002.safetensors\" "
            "too, with other contents, and loaders disagree about which of the two counts: remove "
            "the shard that is stale");
  CHECK(Checkpoint::open(source, {.tolerate_index_mismatch = true}).warnings() ==
        Names{"\"model.norm.weight\" is in \"model-00001-of-00002.safetensors\" and in "
              "\"model-00002-of-00002.safetensors\", with different contents"});
  with_norm("norm", R"({"model.norm.weight":{"dtype":"U8","shape":[2,2],"data_offsets":[0,4]}})");
  CHECK(failure(source) != "no error");
  with_norm("norm", R"({"model.norm.weight":{"dtype":"I8","shape":[4],"data_offsets":[0,4]}})");
  CHECK(failure(source) != "no error");
  with_norm("norm");
  CHECK(Checkpoint::open(source).warnings() ==
        Names{"\"model.norm.weight\" is in \"model-00001-of-00002.safetensors\" and in "
              "\"model-00002-of-00002.safetensors\", with the same contents"});
}

TEST_CASE("what is odd in a header is told with its shard") {
  const TemporaryFolder folder;
  const auto path = folder.write(
      "x.safetensors", shard_file(R"( {"a":["U8",[1],[0,1]],"a":["U8",[2],[0,2]],"__metadata__":{}})", "xy"));
  CHECK(
      Checkpoint::open(path).warnings() ==
      Names{"x.safetensors: the header names 1 keys more than once, \"a\" among them; the last entry counts",
            "x.safetensors: the header begins with white space, which some readers refuse",
            "x.safetensors: the header describes tensors by arrays, which most readers refuse",
            "x.safetensors: __metadata__ is empty, which some readers refuse"});
}

TEST_CASE("a broken shard among many is told by its file, whatever the number of threads") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  fs::resize_file(source / kSecondShard, 100);
  for (const unsigned jobs : {1U, 4U}) {
    CHECK(failure(source, {.jobs = jobs}).starts_with((source / kSecondShard).string() + ": byte "));
  }
}

TEST_CASE("views of tensors stay valid when the checkpoint is moved") {
  const TemporaryFolder folder;
  Checkpoint first = Checkpoint::open(write_sample(folder));
  const TensorInfo tensor = first.shards()[0].header().tensors()[0];
  const Checkpoint second = std::move(first);
  CHECK(tensor.key == "model.layers.0.mlp.weight");
  CHECK(second.shards()[0].header().tensors()[0].key.data() == tensor.key.data());
}
