// Which way each extent goes: decided for a whole plan, before anything is written.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "engine/copy_strategy.h"
#include "plan/plan.h"

namespace keyshift {

struct CopyOptions {
  enum class Copy : std::uint8_t { automatic, reflink, range, stream };
  enum class Digests : std::uint8_t {
    automatic,  // of whatever is read anyway
    always,
    never,
  };
  Copy copy = Copy::automatic;
  Digests digests = Digests::automatic;
  bool sha256 = false;  // of each output file, besides; every byte is then digested
};

struct CopyWays {
  std::vector<std::vector<CopyWay>> shards;  // by shard of the plan and extent of it
  CopyOptions::Digests digests = CopyOptions::Digests::automatic;

  /// Whether the bytes of an extent that goes this way are digested.
  bool is_digested(CopyWay way) const noexcept;
  /// Whether every byte of a shard is.
  bool is_digested(std::size_t shard) const noexcept;
  /// Bytes that go this way.
  std::uint64_t bytes(const Plan& plan, CopyWay way) const noexcept;
  std::uint64_t bytes(const Plan& plan, std::size_t shard, CopyWay way) const noexcept;
};

/// Decides for each extent. `folder`: where the output will be built, or its file system's. A long extent
/// shares blocks where file system and offsets allow it; the rest is streamed, or copied in the kernel if no
/// digests are wanted and it can. Errors: usage, when `options` ask for a way that cannot be gone.
CopyWays choose_ways(const Plan& plan, const std::filesystem::path& folder, const CopyOptions& options);

}  // namespace keyshift
