// The data path: one output shard, extent by extent, to where it goes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/digest.h"
#include "base/interrupt.h"
#include "base/output_stream.h"
#include "engine/copy_ways.h"
#include "engine/progress.h"
#include "plan/plan.h"

namespace keyshift {

/// Sends the shard's header and its extents into `out`, each the way that `ways` say for shard `number` of
/// the plan, and returns a digest for each of its tensors, in the plan's order, where its bytes were
/// digested. Memory stays within a few MiB whatever the size. Errors: io (of either side, with the offset),
/// source_changed, interrupted.
std::vector<std::optional<Digest>> copy_shard(const Plan& plan, std::size_t number, const CopyWays& ways,
                                              OutputStream& out, Progress& progress,
                                              const Interrupt& interrupt);

/// Streams the shard and digests every byte. `source_file`, if given, is fed with the same data: with the
/// source's own header before it, it digests the source. Errors: as above.
std::vector<Digest> copy_shard(const Checkpoint& checkpoint, const PlannedShard& shard, OutputStream& out,
                               Progress& progress, const Interrupt& interrupt, Hasher* source_file = nullptr);

/// A whole file: the side files' way. Errors: io, interrupted.
void copy_file(const MappedFile& file, OutputStream& out, Progress& progress, const Interrupt& interrupt);

}  // namespace keyshift
