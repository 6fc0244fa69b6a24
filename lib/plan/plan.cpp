#include "plan/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/parallel.h"
#include "format/index_writer.h"
#include "plan/sort_by_key.h"
#include "plan/spread.h"

namespace keyshift {

namespace {

// total_parameters cannot be computed (packed dtypes) and is carried over, but it is wrong for a subset.
json::Node index_metadata(const KeyTable& keys) {
  if (!keys.checkpoint().index()) return {};
  json::Node metadata = keys.checkpoint().index()->metadata;
  if (keys.kept() < keys.size()) {
    std::erase_if(metadata.members, [](const auto& member) { return member.first == "total_parameters"; });
  }
  return metadata;
}

std::vector<KeyPlace> unsorted_weight_map(const KeyTable& keys, const std::vector<ShardContents>& shards) {
  std::vector<const ShardContents*> shard_of(keys.size());  // by row; null: is not written
  for (const ShardContents& shard : shards)
    for (const std::size_t row : shard.entries) shard_of[row] = &shard;
  std::vector<KeyPlace> weight_map;
  weight_map.reserve(keys.size());
  const auto add = [&](std::size_t row) {
    if (shard_of[row] != nullptr) weight_map.emplace_back(keys.new_key(row), shard_of[row]->name);
  };
  // The source's index is sorted, and most renaming leaves most of its order.
  const std::vector<std::uint32_t>& listed = keys.checkpoint().listed_order();
  for (const std::uint32_t row : listed) add(row);
  if (listed.empty())
    for (std::size_t row = 0; row < keys.size(); ++row) add(row);
  return weight_map;
}

std::uint64_t size_of_tensors(const KeyTable& keys, const std::vector<ShardContents>& shards) {
  std::uint64_t size = 0;
  for (const ShardContents& shard : shards)
    for (const std::size_t row : shard.entries) size += keys.tensor(row).size();
  return size;
}

std::string index_of(const KeyTable& keys, const std::vector<ShardContents>& shards) {
  std::vector<KeyPlace> weight_map = unsorted_weight_map(keys, shards);
  sort_by_key(weight_map);
  // A key that lies in two shards is listed once, in the later one, which is the one that transformers takes.
  if (keys.checkpoint().listed_order().empty()) {
    const auto same_key = [](const auto& a, const auto& b) { return a.first == b.first; };
    weight_map.erase(weight_map.begin(),
                     std::unique(weight_map.rbegin(), weight_map.rend(), same_key).base());
  }
  return write_sorted_index(weight_map, size_of_tensors(keys, shards), index_metadata(keys));
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

namespace {

// Without any tensor there is nothing to spread.
bool is_resharded(const KeyTable& keys, const PlanOptions& options) {
  return options.max_shard_size && keys.kept() > 0;
}

std::vector<ShardContents> spread(const KeyTable& keys, const PlanOptions& options) {
  if (is_resharded(keys, options)) {
    return spread_by_size(keys, *options.max_shard_size, shard_stem(keys.checkpoint().place()));
  }
  std::vector<ShardContents> shards;
  if (options.single_file_name && keys.checkpoint().shards().size() > 1) {
    shards.push_back(merge_shards(keys, *options.single_file_name));
  } else {
    shards = keep_shards(keys);
  }
  return shards;
}

// Where no tensor is left, a checkpoint would be left that nobody asked for.
void refuse_nothing(const KeyTable& keys) {
  if (keys.kept() > 0 || keys.size() == 0) return;
  throw Error(ErrorKind::usage, "no tensor would be left: every one of them is dropped");
}

std::vector<ShardContents> contents_of(const KeyTable& keys, const PlanOptions& options) {
  std::vector<ShardContents> shards = spread(keys, options);
  if (options.single_file_name) {
    if (shards.size() != 1) {
      throw Error(
          ErrorKind::usage,
          fmt::format("{} shards do not fit into the one file {}; name a folder as the destination, or a "
                      "larger --max-shard-size",
                      shards.size(), quote(*options.single_file_name)));
    }
    shards.front().name = *options.single_file_name;
  }
  if (options.layout == Layout::canonical) {
    for (ShardContents& contents : shards) make_canonical(keys, contents);
  }
  return shards;
}

bool has_index(const KeyTable& keys, const PlanOptions& options, std::size_t shards) {
  if (options.single_file_name) return false;
  return is_resharded(keys, options) ? shards > 1 : keys.checkpoint().index().has_value();
}

}  // namespace

Plan make_plan(const KeyTable& keys, const PlanOptions& options) {
  const CheckpointPlace& source = keys.checkpoint().place();
  refuse_nothing(keys);
  const std::vector<ShardContents> shards = contents_of(keys, options);
  const bool indexed = has_index(keys, options, shards.size());
  Plan plan;
  plan.keys = &keys;
  plan.warnings = metadata_conflicts(keys, shards);
  ShardLayout layout(keys);
  plan.shards.resize(shards.size());
  // The index first: it takes longest.
  for_each_parallel(shards.size() + 1, options.jobs, [&](std::size_t i) {
    if (i > 0) {
      plan.shards[i - 1] = layout.lay_out(shards[i - 1]);
    } else if (indexed) {
      plan.index_text = index_of(keys, shards);
    }
  });
  if (indexed) plan.index_name = source.index_name.value_or(index_name_for(shard_stem(source)));
  if (!options.single_file_name) plan.side_files = source.side_files;
  return plan;
}

}  // namespace keyshift
