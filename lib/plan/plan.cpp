#include "plan/plan.h"

#include <fmt/format.h>

#include <algorithm>

namespace keyshift {

namespace {

constexpr std::uint64_t kBlock = 4096;  // bytes: what file systems share and insert

// One shard under its old layout: the data section moves as a whole, only the header is new.
PlannedShard keep_shard(const KeyTable& keys, std::uint32_t shard_number, std::size_t first_row) {
  const Shard& source = keys.checkpoint().shards()[shard_number];
  const Header& header = source.header();

  std::vector<HeaderEntry> entries;
  entries.reserve(header.tensors().size());
  for (const TensorInfo& tensor : header.tensors()) {
    const std::string_view key = keys.rows()[first_row + entries.size()].to;
    entries.push_back({key, tensor.shape, tensor.begin, tensor.end, tensor.dtype});
  }

  PlannedShard shard;
  shard.name = source.name();
  shard.header = write_header(entries, header.metadata(), {kBlock, header.data_start() % kBlock});
  if (header.data_size() > 0) {
    shard.extents.push_back({shard_number, header.data_start(), shard.header.size(), header.data_size()});
  }
  shard.tensors.reserve(entries.size());
  for (const std::uint32_t tensor : header.by_offset()) {
    const TensorInfo& info = header.tensors()[tensor];
    shard.tensors.push_back({first_row + tensor, header.data_start() + info.begin, info.size()});
  }
  shard.size = shard.header.size() + header.data_size();
  return shard;
}

std::string index_of(const KeyTable& keys, const std::vector<PlannedShard>& shards) {
  std::vector<std::pair<std::string_view, std::string_view>> weight_map;
  weight_map.reserve(keys.rows().size());
  for (const PlannedShard& shard : shards) {
    for (const PlannedTensor& tensor : shard.tensors)
      weight_map.emplace_back(keys.rows()[tensor.row].to, shard.name);
  }
  // A key that lies in two shards is listed once, in the later one, which is the one that transformers takes.
  const auto same_key = [](const auto& a, const auto& b) { return a.first == b.first; };
  std::ranges::stable_sort(weight_map, {}, &std::pair<std::string_view, std::string_view>::first);
  weight_map.erase(weight_map.begin(), std::unique(weight_map.rbegin(), weight_map.rend(), same_key).base());
  return write_index(weight_map, keys.checkpoint().total_size(), keys.checkpoint().index()->metadata);
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
  std::size_t first_row = 0;
  for (std::uint32_t i = 0; i < checkpoint.shards().size(); ++i) {
    plan.shards.push_back(keep_shard(keys, i, first_row));
    first_row += checkpoint.shards()[i].header().tensors().size();
  }
  if (options.single_file_name) {
    plan.shards.front().name = *options.single_file_name;
    return plan;
  }
  if (checkpoint.index()) {
    plan.index_name = checkpoint.place().index_name;
    plan.index_text = index_of(keys, plan.shards);
  }
  plan.side_files = checkpoint.place().side_files;
  return plan;
}

}  // namespace keyshift
