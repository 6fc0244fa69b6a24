#include "plan/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "plan/shard_layout.h"

namespace keyshift {

namespace {

// Each shard keeps its tensors, their byte order and the order of its header; one of which every tensor is
// dropped is left out.
std::vector<ShardContents> keep_shards(const KeyTable& keys) {
  std::vector<ShardContents> shards;
  std::size_t first_row = 0;
  for (std::uint32_t number = 0; number < keys.checkpoint().shards().size(); ++number) {
    const Shard& source = keys.checkpoint().shards()[number];
    const Header& header = source.header();
    ShardContents shard;
    shard.name = source.name();
    shard.source = number;
    shard.metadata = header.metadata();
    shard.start_without_data = header.data_start();
    const auto is_kept = [&](std::size_t row) { return !keys.rows()[row].dropped; };
    for (std::size_t i = 0; i < header.tensors().size(); ++i) {
      if (is_kept(first_row + i)) shard.entries.push_back(first_row + i);
    }
    for (const std::uint32_t tensor : header.by_offset()) {
      if (is_kept(first_row + tensor)) shard.data.push_back(first_row + tensor);
    }
    first_row += header.tensors().size();
    if (!shard.entries.empty() || header.tensors().empty()) shards.push_back(std::move(shard));
  }
  return shards;
}

// total_parameters cannot be computed (packed dtypes) and is carried over, but it is wrong for a subset.
json::Node index_metadata(const KeyTable& keys) {
  json::Node metadata = keys.checkpoint().index()->metadata;
  if (keys.kept() < keys.rows().size()) {
    std::erase_if(metadata.members, [](const auto& member) { return member.first == "total_parameters"; });
  }
  return metadata;
}

std::string index_of(const KeyTable& keys, const Plan& plan) {
  std::vector<std::pair<std::string_view, std::string_view>> weight_map;
  weight_map.reserve(keys.rows().size());
  for (const PlannedShard& shard : plan.shards) {
    for (const PlannedTensor& tensor : shard.tensors)
      weight_map.emplace_back(keys.rows()[tensor.row].to, shard.name);
  }
  // A key that lies in two shards is listed once, in the later one, which is the one that transformers takes.
  const auto same_key = [](const auto& a, const auto& b) { return a.first == b.first; };
  std::ranges::stable_sort(weight_map, {}, &std::pair<std::string_view, std::string_view>::first);
  weight_map.erase(weight_map.begin(), std::unique(weight_map.rbegin(), weight_map.rend(), same_key).base());
  return write_index(weight_map, plan.data_bytes(), index_metadata(keys));
}

}  // namespace

std::uint64_t Plan::data_bytes() const noexcept {
  std::uint64_t sum = 0;
  for (const PlannedShard& shard : shards) sum += shard.size - shard.header.size();
  return sum;
}

std::uint64_t Plan::output_bytes() const noexcept {
  std::uint64_t sum = index_text ? index_text->size() : 0;
  for (const PlannedShard& shard : shards) sum += shard.size;
  return sum;
}

Plan make_plan(const KeyTable& keys, const PlanOptions& options) {
  const Checkpoint& checkpoint = keys.checkpoint();
  if (options.single_file_name && checkpoint.shards().size() != 1) {
    throw Error(ErrorKind::usage,
                fmt::format("the checkpoint has {} shards, which do not fit into the one file {}; name a "
                            "folder as the destination",
                            checkpoint.shards().size(), quote(*options.single_file_name)));
  }
  Plan plan;
  plan.keys = &keys;
  ShardLayout layout(keys);
  for (ShardContents& contents : keep_shards(keys))
    plan.shards.push_back(layout.lay_out(std::move(contents)));
  if (plan.shards.empty()) {
    throw Error(ErrorKind::usage, "no tensor would be left: every one of them is dropped");
  }
  if (options.single_file_name) {
    plan.shards.front().name = *options.single_file_name;
    return plan;
  }
  if (checkpoint.index()) {
    plan.index_name = checkpoint.place().index_name;
    plan.index_text = index_of(keys, plan);
  }
  plan.side_files = checkpoint.place().side_files;
  return plan;
}

}  // namespace keyshift
