#include "plan/plan.h"

#include <doctest/doctest.h>

#include "plan/prepare_plan.h"
#include "plan/spread.h"
#include "support/error_text.h"
#include "support/sample_checkpoint.h"
#include "transforms/transform_file.h"

using namespace keyshift;
using namespace keyshift::test;
namespace fs = std::filesystem;

namespace {

PreparedPlan planned(const fs::path& source, const PlanOptions& options, const SubsetPatterns& subset = {},
                     const std::string& rename = "") {
  PlanRequest request;
  request.source = source;
  request.options = options;
  request.subset = subset;
  if (!rename.empty()) request.transforms.transforms.push_back(parse_rename_option(rename));
  return prepare_plan(request);
}

std::vector<std::string> names(const PreparedPlan& prepared) {
  std::vector<std::string> out;
  for (const PlannedShard& shard : prepared.plan.shards) out.push_back(shard.name);
  return out;
}

// New keys of an output shard in the order of its data section, one after another.
std::string keys_of(const PreparedPlan& prepared, std::size_t shard) {
  std::string out;
  for (const PlannedTensor& tensor : prepared.plan.shards.at(shard).tensors)
    out += std::string(prepared.keys->row(tensor.row).to) + ' ';
  return out;
}

std::string tensors_of_sizes(const TemporaryFolder& folder,
                             const std::vector<std::pair<std::string, int>>& sizes) {
  std::vector<NamedBytes> tensors;
  for (const auto& [name, size] : sizes)
    tensors.push_back({name, std::string(static_cast<std::size_t>(size), name.front())});
  return folder.write("model.safetensors", shard_of(tensors)).string();
}

PlanOptions at_most(std::uint64_t bytes, Layout layout = Layout::keep) {
  PlanOptions options;
  options.max_shard_size = bytes;
  options.layout = layout;
  return options;
}

}  // namespace

TEST_CASE(
    "shards are filled in the order in which tensors lie, and an oversized one comes before the open shard") {
  const TemporaryFolder folder;
  const auto prepared =
      planned(tensors_of_sizes(folder, {{"a", 3}, {"big", 20}, {"b", 3}, {"c", 3}}), at_most(10));
  CHECK(names(prepared) ==
        std::vector<std::string>{"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"});
  CHECK(keys_of(prepared, 0) == "big ");
  CHECK(keys_of(prepared, 1) == "a b c ");
  CHECK(prepared.plan.shards[1].extents.size() == 2);
  CHECK(prepared.plan.shards[1].extents[1].length == 6);
}

TEST_CASE("a shard is closed by the tensor that does not fit") {
  const TemporaryFolder folder;
  const auto prepared = planned(
      tensors_of_sizes(folder, {{"a", 6}, {"b", 6}, {"c", 2}, {"d", 6}, {"e", 2}, {"f", 2}}), at_most(10));
  CHECK(prepared.plan.shards.size() == 3);
  CHECK(keys_of(prepared, 0) == "a ");
  CHECK(keys_of(prepared, 1) == "b c ");
  CHECK(keys_of(prepared, 2) == "d e f ");
}

TEST_CASE("one shard is model.safetensors without an index; several have one though the source had none") {
  const TemporaryFolder folder;
  const fs::path sharded = write_sample(folder);
  const auto one = planned(sharded, at_most(1000));
  CHECK(names(one) == std::vector<std::string>{"model.safetensors"});
  CHECK_FALSE(one.plan.index_name.has_value());
  tensors_of_sizes(folder, {{"a", 3}, {"b", 3}});
  const auto two = planned(folder.path(), at_most(3));
  CHECK(two.plan.index_name == kIndex);
  CHECK(*two.plan.index_text == R"({
  "metadata": {
    "total_size": 6
  },
  "weight_map": {
    "a": "model-00001-of-00002.safetensors",
    "b": "model-00002-of-00002.safetensors"
  }
}
)");
}

TEST_CASE("total_parameters is carried over to other shards, and left out for a subset") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  CHECK(planned(source, at_most(10)).plan.index_text->find("\"total_parameters\": 7") != std::string::npos);
  const auto subset = planned(source, {}, {{}, {"lm_head"}});
  CHECK(subset.plan.index_text->find("total_parameters") == std::string::npos);
  CHECK(subset.plan.index_text->find("\"total_size\": 24") != std::string::npos);
}

TEST_CASE("new shards have the stem and the variant of the old ones where loaders know it") {
  CheckpointPlace place;
  place.index_name = "diffusion_pytorch_model.safetensors.index.fp16.json";
  CHECK(shard_stem(place) == "diffusion_pytorch_model.fp16");
  CHECK(index_name_for("diffusion_pytorch_model.fp16") == *place.index_name);
  place.index_name = "model.safetensors.fp16.index.json";
  CHECK(shard_stem(place) == "model.fp16");
  place.index_name = std::nullopt;
  place.shard_names = {"adapter_model.safetensors"};
  CHECK(shard_stem(place) == "adapter_model");
  place.shard_names = {"model-00001-of-00007.safetensors"};
  CHECK(shard_stem(place) == "model");
  place.shard_names = {"whatever.safetensors"};
  CHECK(shard_stem(place) == "model");
  CHECK(index_name_for("model") == kIndex);
}

TEST_CASE("the canonical order is that of dtypes, later ones first, then that of the new keys") {
  const TemporaryFolder folder;
  const fs::path file =
      folder.write("model.safetensors", shard_file(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                                                   R"("z":{"dtype":"F32","shape":[1],"data_offsets":[1,5]},)"
                                                   R"("b":{"dtype":"BF16","shape":[1],"data_offsets":[5,7]},)"
                                                   R"("c":{"dtype":"F32","shape":[],"data_offsets":[7,11]}})",
                                                   "1222233 4444"));
  fs::resize_file(file, fs::file_size(file) - 1);
  PlanOptions canonical;
  canonical.layout = Layout::canonical;
  const auto prepared = planned(file, canonical, {}, "^z=>m");
  CHECK(keys_of(prepared, 0) == "c m b a ");
  CHECK(prepared.plan.shards[0].header.size() % 8 == 0);
  CHECK(
      prepared.plan.shards[0].header.substr(8) ==
      R"({"c":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"m":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},)"
      R"("b":{"dtype":"BF16","shape":[1],"data_offsets":[8,10]},"a":{"dtype":"U8","shape":[1],"data_offsets":[10,11]}} )");
}

TEST_CASE(
    "with the layout kept the longest extent stays congruent modulo 4096, also where tensors are dropped") {
  const TemporaryFolder folder;
  const auto prepared =
      planned(tensors_of_sizes(folder, {{"a", 100}, {"b", 7}, {"c", 5000}, {"d", 1}}), {}, {{}, {"b"}});
  const PlannedShard& shard = prepared.plan.shards.at(0);
  REQUIRE(shard.extents.size() == 2);
  CHECK(shard.extents[1].length == 5001);
  CHECK(shard.extents[1].target_offset % 4096 == shard.extents[1].source_offset % 4096);
  CHECK(keys_of(prepared, 0) == "a c d ");
}

TEST_CASE(
    "with the layout kept most bytes that are worth sharing stay congruent, not just the longest extent") {
  const TemporaryFolder folder;
  const int large = 200'000, middle = 150'000, block = 4096;
  // What is dropped before them moves the first extent by a block and 1 byte, the two middle ones by 2 more.
  const auto prepared = planned(tensors_of_sizes(folder, {{"x0", 1},
                                                          {"a", large},
                                                          {"x1", block + 2},
                                                          {"b", middle},
                                                          {"x2", block},
                                                          {"c", middle},
                                                          {"x3", 5},
                                                          {"d", 60'000},
                                                          {"x4", block},
                                                          {"e", 60'000},
                                                          {"x5", block},
                                                          {"f", 60'000},
                                                          {"x6", block},
                                                          {"g", 60'000},
                                                          {"x7", block},
                                                          {"h", 60'000},
                                                          {"x8", block},
                                                          {"i", 60'000}}),
                                {}, {{}, {"^x"}});
  std::string congruent;
  for (const Extent& extent : prepared.plan.shards.at(0).extents)
    congruent += extent.source_offset % block == extent.target_offset % block ? 'y' : 'n';
  CHECK(congruent == "nyynnnnnn");
}

TEST_CASE(
    "a shard of which every tensor is dropped is left out, and a checkpoint without tensors is refused") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  CHECK(names(planned(source, {}, {{"layers"}, {}})) == std::vector<std::string>{kFirstShard});
  CHECK(error_text([&] {
          planned(source, {}, {{"nothing"}, {}});
        }) == "no tensor would be left: every one of them is dropped");
}

TEST_CASE("transforms that match only what is dropped are not used") {
  const TemporaryFolder folder;
  const auto prepared = planned(write_sample(folder), {}, {{}, {"^lm_head"}}, "lm_head=>head");
  CHECK(prepared.keys->used() == std::vector<bool>{false});
  CHECK(prepared.keys->kept() == 3);
}

TEST_CASE(
    "metadata of shards that are put together is that of all of them, with a warning where they disagree") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  folder.write("source/" + kFirstShard, shard_of({{"model.layers.0.mlp.weight", "0123456789"},
                                                  {"model.layers.1.mlp.weight", "abcdefghij"}},
                                                 R"({"format":"tf","a":"1"})"));
  const auto prepared = planned(source, at_most(1000));
  CHECK(prepared.plan.shards[0].header.substr(8).starts_with(R"({"__metadata__":{"format":"tf","a":"1"},)"));
  CHECK(prepared.plan.warnings ==
        std::vector<std::string>{"model.safetensors: __metadata__ \"format\" is \"pt\" in " + kSecondShard +
                                 ", and \"tf\" here"});
}

TEST_CASE("a key that lies in two shards is written once when shards are put together") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  folder.write("source/" + kFirstShard, shard_of({{"model.layers.0.mlp.weight", "0123456789"},
                                                  {"model.layers.1.mlp.weight", "abcdefghij"},
                                                  {"lm_head.weight", "head!"}}));
  const auto prepared = planned(source, at_most(1000));
  CHECK(keys_of(prepared, 0) ==
        "model.layers.0.mlp.weight model.layers.1.mlp.weight lm_head.weight model.norm.weight ");
}

TEST_CASE("several shards do not fit into one file when a size is asked for") {
  const TemporaryFolder folder;
  PlanOptions options = at_most(10);
  options.single_file_name = "out.safetensors";
  CHECK(error_text([&] { planned(write_sample(folder), options); }) ==
        "3 shards do not fit into the one file \"out.safetensors\"; name a folder as the destination, or a "
        "larger "
        "--max-shard-size");
}
