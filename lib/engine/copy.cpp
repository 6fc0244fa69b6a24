#include "engine/copy.h"

#include <algorithm>

#include "engine/tensor_digests.h"

namespace keyshift {

namespace {

// Every source file of the shard must be the one that it was.
void check_unchanged(const Checkpoint& checkpoint, const PlannedShard& shard) {
  std::uint32_t last = 0xFFFFFFFF;
  for (const Extent& extent : shard.extents) {
    if (extent.source_shard != last) checkpoint.shards()[extent.source_shard].file().check_unchanged();
    last = extent.source_shard;
  }
}

}  // namespace

std::vector<std::optional<Digest>> copy_shard(const Plan& plan, std::size_t number, const CopyWays& ways,
                                              OutputStream& out, Progress& progress,
                                              const Interrupt& interrupt) {
  const PlannedShard& shard = plan.shards[number];
  const Checkpoint& checkpoint = plan.keys->checkpoint();
  TensorDigests digests(shard.tensors);
  const auto digest = [&](std::span<const std::byte> bytes) { digests.update(bytes); };
  const auto advance = [&](std::uint64_t bytes) { progress.advance(bytes); };
  out.write(shard.header);
  for (std::size_t i = 0; i < shard.extents.size(); ++i) {
    const Extent& extent = shard.extents[i];
    const CopyWay way = ways.shards[number][i];
    const CopyContext context{.out = out,
                              .digest = digest,
                              .advance = advance,
                              .interrupt = interrupt,
                              .digested = ways.is_digested(way)};
    strategy(way).copy(checkpoint.shards()[extent.source_shard].file(), extent, context);
    if (!context.digested) digests.skip(extent.length);
  }
  check_unchanged(checkpoint, shard);
  return digests.take();
}

std::vector<Digest> copy_shard(const Checkpoint& checkpoint, const PlannedShard& shard, OutputStream& out,
                               Progress& progress, const Interrupt& interrupt, Hasher* source_file) {
  TensorDigests digests(shard.tensors);
  out.write(shard.header);
  for (const Extent& extent : shard.extents) {
    const MappedFile& file = checkpoint.shards()[extent.source_shard].file();
    read_through(file, extent.source_offset, extent.length, interrupt, [&](std::span<const std::byte> piece) {
      digests.update(piece);
      if (source_file != nullptr) source_file->update(piece);
      out.write(piece);
      progress.advance(piece.size());
    });
  }
  check_unchanged(checkpoint, shard);
  std::vector<Digest> all;
  for (const std::optional<Digest>& digest : digests.take()) all.push_back(*digest);
  return all;
}

void copy_file(const MappedFile& file, OutputStream& out, Progress& progress, const Interrupt& interrupt) {
  read_through(file, 0, file.size(), interrupt, [&](std::span<const std::byte> piece) {
    out.write(piece);
    progress.advance(piece.size());
  });
  file.check_unchanged();
}

}  // namespace keyshift
