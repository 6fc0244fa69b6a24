#include "plan/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/parallel.h"
#include "plan/shard_layout.h"
#include "plan/sort_by_key.h"

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

std::string index_of(const KeyTable& keys, const std::vector<ShardContents>& shards) {
  std::vector<KeyPlace> weight_map;
  weight_map.reserve(keys.rows().size());
  std::uint64_t size = 0;
  for (const ShardContents& shard : shards) {
    for (const std::size_t row : shard.entries) {
      const KeyTable::Row& place = keys.rows()[row];
      weight_map.emplace_back(place.to, shard.name);
      size += keys.checkpoint().shards()[place.shard].header().tensors()[place.tensor].size();
    }
  }
  sort_by_key(weight_map);
  // A key that lies in two shards is listed once, in the later one, which is the one that transformers takes.
  const auto same_key = [](const auto& a, const auto& b) { return a.first == b.first; };
  weight_map.erase(weight_map.begin(), std::unique(weight_map.rbegin(), weight_map.rend(), same_key).base());
  return write_index(weight_map, size, index_metadata(keys));
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
  const std::vector<ShardContents> contents = keep_shards(keys);
  const bool has_index = checkpoint.index() && !options.single_file_name;
  ShardLayout layout(keys);
  plan.shards.resize(contents.size());
  // The index first: it takes longest.
  for_each_parallel(contents.size() + 1, options.jobs, [&](std::size_t i) {
    if (i > 0) {
      plan.shards[i - 1] = layout.lay_out(contents[i - 1]);
    } else if (has_index) {
      plan.index_text = index_of(keys, contents);
    }
  });
  if (plan.shards.empty()) {
    throw Error(ErrorKind::usage, "no tensor would be left: every one of them is dropped");
  }
  if (options.single_file_name) {
    plan.shards.front().name = *options.single_file_name;
    return plan;
  }
  if (has_index) plan.index_name = checkpoint.place().index_name;
  plan.side_files = checkpoint.place().side_files;
  return plan;
}

}  // namespace keyshift
