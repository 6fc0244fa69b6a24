#include "plan/shard_layout.h"

#include <algorithm>
#include <array>
#include <utility>

namespace keyshift {

namespace {

constexpr std::uint64_t kBlock = 4096;  // bytes: what file systems share and insert

// Where the data section has to start, modulo kBlock, for this extent to stay congruent to its source. Target
// offsets are still relative to the data section.
std::uint64_t start_for(const Extent& extent) {
  return (extent.source_offset + (kBlock - extent.target_offset % kBlock)) % kBlock;
}

// The start that most bytes want, of those that are worth sharing; of several the one of the longest extent.
// Extents of one shard lie without gaps, so that this is the only choice there is.
std::uint64_t best_start(const std::vector<Extent>& extents) {
  const Extent& longest = *std::ranges::max_element(extents, {}, &Extent::length);
  std::uint64_t best = start_for(longest);
  if (extents.size() == 1 || longest.length < kWorthSharing) return best;
  std::array<std::uint64_t, kBlock> wanted_by{};  // bytes
  for (const Extent& extent : extents) {
    if (extent.length >= kWorthSharing) wanted_by.at(start_for(extent)) += extent.length;
  }
  for (std::uint64_t start = 0; start < kBlock; ++start) {
    if (wanted_by.at(start) > wanted_by.at(best)) best = start;
  }
  return best;
}

HeaderPadding padding_for(const ShardContents& contents, const std::vector<Extent>& extents) {
  if (contents.padding == ShardContents::Padding::eight) return {};
  return {kBlock, extents.empty() ? contents.start_without_data % kBlock : best_start(extents)};
}

}  // namespace

ShardLayout::ShardLayout(const KeyTable& keys) : keys_(keys), begins_(keys.size()) {}

// Tensors that lie one behind the other in one source file, and will again, are one extent.
void ShardLayout::place_data(const ShardContents& contents, PlannedShard& shard) {
  shard.tensors.reserve(contents.data.size());
  for (const std::size_t row : contents.data) {
    const std::uint32_t source = keys_.shard_of(row);
    const std::uint64_t data_start = keys_.checkpoint().shards()[source].header().data_start();
    const std::uint64_t offset = data_start + keys_.tensor(row).begin, size = keys_.tensor(row).size();
    begins_[row] = shard.size;
    shard.tensors.push_back({row, offset, size});
    if (size == 0) continue;
    Extent* last = shard.extents.empty() ? nullptr : &shard.extents.back();
    if (last != nullptr && last->source_shard == source && last->source_offset + last->length == offset) {
      last->length += size;
    } else {
      shard.extents.push_back({source, offset, shard.size, size});
    }
    shard.size += size;
  }
}

PlannedShard ShardLayout::lay_out(const ShardContents& contents) {
  PlannedShard shard;
  shard.name = contents.name;
  shard.source = contents.source;
  place_data(contents, shard);
  std::vector<HeaderEntry> entries;
  entries.reserve(contents.entries.size());
  for (const std::size_t row : contents.entries) {
    const TensorInfo& tensor = keys_.tensor(row);
    entries.push_back(
        {keys_.new_key(row), tensor.shape, begins_[row], begins_[row] + tensor.size(), tensor.dtype});
  }
  shard.header = write_header(entries, contents.metadata, padding_for(contents, shard.extents));
  for (Extent& extent : shard.extents) extent.target_offset += shard.header.size();
  shard.size += shard.header.size();
  return shard;
}

}  // namespace keyshift
