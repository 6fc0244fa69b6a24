// Where every byte of the original lies now: its shards, as a receipt remembers them, over the files that a
// conversion made of them, however these are split.
#pragma once

#include <filesystem>
#include <vector>

#include "format/checkpoint.h"
#include "plan/plan.h"
#include "receipt/receipt.h"

namespace keyshift {

/// One PlannedShard for each source shard of `receipt`, over `checkpoint`, which is what was made of them;
/// PlannedTensor::row is an index into receipt.tensors. `receipt_file`: for messages. Errors: receipt_invalid
/// (tensors were dropped; it contradicts itself or the checkpoint).
std::vector<PlannedShard> original_layout(const Receipt& receipt, const Checkpoint& checkpoint,
                                          const std::filesystem::path& receipt_file);

}  // namespace keyshift
