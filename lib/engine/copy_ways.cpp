#include "engine/copy_ways.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/share_blocks.h"
#include "plan/shard_layout.h"

namespace keyshift {

namespace {

using Copy = CopyOptions::Copy;

constexpr std::uint64_t kTwoBlocks = 2 * 4096;  // an extent of fewer bytes need not hold a whole block

class Chooser {
 public:
  Chooser(const Plan& plan, const std::filesystem::path& folder, const CopyOptions& options)
      : plan_(plan), folder_(folder), options_(options) {}

  CopyWay choose(const Extent& extent) {
    switch (options_.copy) {
      case Copy::automatic:
        return cheapest(extent);
      case Copy::reflink:
        return must_share(extent);
      case Copy::range:
        if (!can_copy(extent))
          refuse(extent, "--copy range", "the kernel does not copy from there to the destination");
        return CopyWay::range;
      case Copy::stream:
        break;
    }
    return CopyWay::stream;
  }

 private:
  CopyWay cheapest(const Extent& extent) {
    if (extent.length >= kWorthSharing && is_shareable(extent) && can_share(extent)) return CopyWay::reflink;
    const bool unseen = options_.digests == CopyOptions::Digests::never;
    return unseen && can_copy(extent) ? CopyWay::range : CopyWay::stream;
  }

  CopyWay must_share(const Extent& extent) {
    if (extent.length < kTwoBlocks) return CopyWay::stream;
    if (!is_shareable(extent))
      refuse(extent, "--copy reflink",
             fmt::format("{} bytes move by less than whole blocks of 4096", extent.length));
    if (!can_share(extent))
      refuse(extent, "--copy reflink", "no blocks can be shared from there to the destination's file system");
    return CopyWay::reflink;
  }

  [[noreturn]] void refuse(const Extent& extent, std::string_view what, std::string_view why) const {
    throw Error(ErrorKind::usage,
                fmt::format("{} cannot be done: {}; --copy auto takes what is possible", what, why))
        .in(file(extent).path().string())
        .at(extent.source_offset);
  }

  const MappedFile& file(const Extent& extent) const {
    return plan_.keys->checkpoint().shards()[extent.source_shard].file();
  }

  // Tried once for each file system that the source lies on.
  bool can_share(const Extent& extent) { return tried(shares_, extent, can_share_blocks); }
  bool can_copy(const Extent& extent) { return tried(copies_, extent, can_copy_in_kernel); }
  bool tried(std::map<std::uint64_t, bool>& known, const Extent& extent,
             bool (*attempt)(int, const std::filesystem::path&) noexcept) {
    const auto [entry, is_new] = known.emplace(file(extent).identity().device, false);
    if (is_new) entry->second = attempt(file(extent).descriptor(), folder_);
    return entry->second;
  }

  const Plan& plan_;
  const std::filesystem::path& folder_;
  const CopyOptions options_;
  std::map<std::uint64_t, bool> shares_, copies_;  // by device
};

}  // namespace

bool CopyWays::is_digested(CopyWay way) const noexcept {
  if (digests == CopyOptions::Digests::automatic) return way == CopyWay::stream;
  return digests == CopyOptions::Digests::always;
}

bool CopyWays::is_digested(std::size_t shard) const noexcept {
  return digests != CopyOptions::Digests::never &&
         std::ranges::all_of(shards[shard], [this](CopyWay way) { return is_digested(way); });
}

std::uint64_t CopyWays::bytes(const Plan& plan, CopyWay way) const noexcept {
  std::uint64_t sum = 0;
  for (std::size_t shard = 0; shard < shards.size(); ++shard) sum += bytes(plan, shard, way);
  return sum;
}

std::uint64_t CopyWays::bytes(const Plan& plan, std::size_t shard, CopyWay way) const noexcept {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < shards[shard].size(); ++i)
    sum += shards[shard][i] == way ? plan.shards[shard].extents[i].length : 0;
  return sum;
}

CopyWays choose_ways(const Plan& plan, const std::filesystem::path& folder, const CopyOptions& options) {
  Chooser chooser(plan, folder, options);
  CopyWays ways;
  ways.digests = options.digests;
  for (const PlannedShard& shard : plan.shards) {
    std::vector<CopyWay>& chosen = ways.shards.emplace_back();
    chosen.reserve(shard.extents.size());
    for (const Extent& extent : shard.extents) chosen.push_back(chooser.choose(extent));
  }
  return ways;
}

}  // namespace keyshift
