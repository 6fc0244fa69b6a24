// The data path: bytes of one output shard from the source's mapping to where they go, each read once.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/digest.h"
#include "base/interrupt.h"
#include "base/output_stream.h"
#include "engine/progress.h"
#include "plan/plan.h"

namespace keyshift {

/// Sends the shard's header and its extents into `out` and returns a digest for each of its tensors, in the
/// plan's order. `source_file`, if given, is fed with the same data: with the source's own header before it,
/// it digests the source. Memory stays within a few MiB whatever the size. Errors: io (of either side, with
/// the offset), interrupted.
std::vector<Digest> copy_shard(const Checkpoint& checkpoint, const PlannedShard& shard, OutputStream& out,
                               Progress& progress, const Interrupt& interrupt, Hasher* source_file = nullptr);

/// A whole file: the side files' way. Errors: io, interrupted.
void copy_file(const MappedFile& file, OutputStream& out, Progress& progress, const Interrupt& interrupt);

}  // namespace keyshift
