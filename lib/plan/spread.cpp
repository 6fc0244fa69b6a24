#include "plan/spread.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <tuple>

#include "format/key_index.h"

namespace keyshift {

namespace {

// Rows that are kept, in the order in which the tensors lie; a repeated key at its first place only.
std::vector<std::size_t> rows_as_they_lie(const KeyTable& keys) {
  std::vector<std::size_t> rows;
  rows.reserve(keys.size());
  KeyIndex seen(keys.size());
  for (std::size_t shard = 0; shard < keys.checkpoint().shards().size(); ++shard) {
    for (const std::uint32_t tensor : keys.checkpoint().shards()[shard].header().by_offset()) {
      const std::size_t row = keys.first_row(shard) + tensor;
      if (keys.is_dropped(row)) continue;
      const std::uint32_t known = seen.size();
      if (seen.insert(keys.new_key(row)) == known) rows.push_back(row);
    }
  }
  return rows;
}

// Source shards in the order in which their tensors come.
std::vector<std::uint32_t> sources_of(const KeyTable& keys, const ShardContents& contents) {
  std::vector<std::uint32_t> sources;
  for (const std::size_t row : contents.data) {
    const std::uint32_t shard = keys.shard_of(row);
    if ((sources.empty() || sources.back() != shard) && std::ranges::find(sources, shard) == sources.end())
      sources.push_back(shard);
  }
  return sources;
}

// Every entry that one of the source shards has, the first value where they differ.
std::optional<Metadata> merged_metadata(const KeyTable& keys, const ShardContents& contents) {
  std::optional<Metadata> merged;
  for (const std::uint32_t source : sources_of(keys, contents)) {
    const auto& metadata = keys.checkpoint().shards()[source].header().metadata();
    if (!metadata) continue;
    if (!merged) merged.emplace();
    for (const auto& entry : *metadata) {
      if (std::ranges::find(*merged, entry.first, &Metadata::value_type::first) == merged->end())
        merged->push_back(entry);
    }
  }
  return merged;
}

ShardContents complete(const KeyTable& keys, std::vector<std::size_t> rows) {
  ShardContents contents;
  contents.data = std::move(rows);
  contents.entries = contents.data;
  contents.metadata = merged_metadata(keys, contents);
  return contents;
}

}  // namespace

std::vector<ShardContents> keep_shards(const KeyTable& keys) {
  std::vector<ShardContents> shards;
  for (std::uint32_t number = 0; number < keys.checkpoint().shards().size(); ++number) {
    const Shard& source = keys.checkpoint().shards()[number];
    const Header& header = source.header();
    const std::size_t first_row = keys.first_row(number);
    ShardContents shard;
    shard.name = source.name();
    shard.source = number;
    shard.metadata = header.metadata();
    shard.start_without_data = header.data_start();
    shard.entries.reserve(header.tensors().size());
    shard.data.reserve(header.tensors().size());
    const auto is_kept = [&](std::size_t row) { return !keys.is_dropped(row); };
    for (std::size_t i = 0; i < header.tensors().size(); ++i) {
      if (is_kept(first_row + i)) shard.entries.push_back(first_row + i);
    }
    for (const std::uint32_t tensor : header.by_offset()) {
      if (is_kept(first_row + tensor)) shard.data.push_back(first_row + tensor);
    }
    if (!shard.entries.empty() || header.tensors().empty()) shards.push_back(std::move(shard));
  }
  return shards;
}

std::vector<ShardContents> spread_by_size(const KeyTable& keys, std::uint64_t most, const std::string& stem) {
  std::vector<ShardContents> shards;
  std::vector<std::size_t> open;  // the shard that is being filled
  std::uint64_t open_size = 0;
  const auto close = [&](std::vector<std::size_t> rows) {
    shards.push_back(complete(keys, std::move(rows)));
  };
  for (const std::size_t row : rows_as_they_lie(keys)) {
    const std::uint64_t size = keys.tensor(row).size();
    if (size > most) {  // a shard of its own, which comes before the one that is still open
      close({row});
      continue;
    }
    if (size > most - open_size) {
      close(std::exchange(open, {}));
      open_size = 0;
    }
    open.push_back(row);
    open_size += size;
  }
  if (!open.empty()) close(std::move(open));
  for (std::size_t i = 0; i < shards.size(); ++i) {
    shards[i].name = shards.size() == 1
                         ? stem + ".safetensors"
                         : fmt::format("{}-{:05}-of-{:05}.safetensors", stem, i + 1, shards.size());
  }
  return shards;
}

ShardContents merge_shards(const KeyTable& keys, std::string name) {
  ShardContents contents = complete(keys, rows_as_they_lie(keys));
  contents.name = std::move(name);
  return contents;
}

void make_canonical(const KeyTable& keys, ShardContents& contents) {
  std::ranges::stable_sort(contents.data, [&](std::size_t a, std::size_t b) {
    const Dtype left = keys.tensor(a).dtype, right = keys.tensor(b).dtype;
    return left != right ? left > right : keys.new_key(a) < keys.new_key(b);
  });
  contents.entries = contents.data;
  contents.padding = ShardContents::Padding::eight;
}

std::vector<std::string> metadata_conflicts(const KeyTable& keys, const std::vector<ShardContents>& shards) {
  std::vector<std::string> conflicts;
  for (const ShardContents& contents : shards) {
    if (contents.source) continue;
    for (const std::uint32_t source : sources_of(keys, contents)) {
      const Shard& shard = keys.checkpoint().shards()[source];
      if (!shard.header().metadata()) continue;
      for (const auto& [name, value] : *shard.header().metadata()) {
        const auto written = std::ranges::find(*contents.metadata, name, &Metadata::value_type::first);
        if (written->second == value) continue;
        conflicts.push_back(fmt::format("{}: __metadata__ {} is {} in {}, and {} here", contents.name,
                                        quote(name), quote(value, 60), shard.name(),
                                        quote(written->second, 60)));
      }
    }
  }
  return conflicts;
}

}  // namespace keyshift
