// One output shard: from the tensors that it is to hold, wherever they lie, to its header and its extents.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "format/header.h"
#include "plan/plan.h"

namespace keyshift {

/// An extent of fewer bytes is not worth sharing: that would cost more than its bytes.
inline constexpr std::uint64_t kWorthSharing = 64U << 10U;

/// What an output shard is to hold.
struct ShardContents {
  std::string name;
  std::vector<std::size_t> data;     // rows of the key table, in the order of the data section
  std::vector<std::size_t> entries;  // the same rows, in the order of the header's text
  std::optional<Metadata> metadata;
  std::optional<std::uint32_t> source;  // as in PlannedShard
  /// Where the header ends: as the safetensors library pads it, or so that as many bytes as can be stay
  /// congruent to their source modulo 4096.
  enum class Padding : std::uint8_t { eight, share_blocks };
  Padding padding = Padding::share_blocks;
  /// With share_blocks and no data at all: congruent to this.
  std::uint64_t start_without_data = 0;
};

/// Lays out the shards of one plan, also several at a time. Each row belongs to one shard at most.
class ShardLayout {
 public:
  /// Borrows `keys`, which must outlive it.
  explicit ShardLayout(const KeyTable& keys);
  /// Errors: header_too_large.
  PlannedShard lay_out(const ShardContents& contents);

 private:
  void place_data(const ShardContents& contents, PlannedShard& shard);

  const KeyTable& keys_;
  std::vector<std::uint64_t> begins_;  // by row: its data_offsets in its new shard
};

}  // namespace keyshift
