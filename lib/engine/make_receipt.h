// What a conversion has to say about itself, gathered from its plan and from what was written.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/digest.h"
#include "base/sha.h"
#include "plan/prepare_plan.h"
#include "receipt/receipt.h"

namespace keyshift {

/// What is known of one shard of the plan once it lies there.
struct WrittenShard {
  std::uint64_t size = 0;        // bytes of the whole file
  std::optional<Digest> digest;  // of the whole file, where its bytes were read
  std::optional<Sha256> sha256;
  std::vector<std::optional<Digest>> tensors;  // in the plan's order, where their bytes were read
};

/// `shards`: one per shard of the plan, in its order; `others`: side files, then the index. The receipt that
/// lies in the source, if there is one, is read and taken along. Options that are no part of the plan's
/// request (in_place) are left for the caller to set. Errors: io.
Receipt make_receipt(const PlanRequest& request, const PreparedPlan& prepared,
                     std::span<const WrittenShard> shards, std::vector<Receipt::OutputFile> others);

/// The part of it that says how the conversion was asked for.
void describe_request(const PlanRequest& request, Receipt& receipt);

}  // namespace keyshift
