// The main job: a checkpoint goes in, a renamed one comes out. rewrite.cpp reads as the list of its passes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/interrupt.h"
#include "engine/progress.h"
#include "format/checkpoint.h"
#include "plan/plan.h"
#include "transforms/renaming.h"

namespace keyshift {

struct RewriteRequest {
  std::filesystem::path source, destination;
  OpenOptions open;
  TransformList transforms;
  RenamingOptions renaming;
  unsigned jobs = 1;                // shards at a time
  bool force = false;               // replace a checkpoint that is at the destination
  bool compare_with_plain = false;  // hold the trie against the rules applied one by one, on every key
};

struct RewriteResult {
  struct File {
    std::string name;  // relative to the destination's folder
    Written written;
  };
  std::vector<File> shards, others;  // others: index, side files
  std::string receipt_name;
  Digest receipt_digest;
  std::uint64_t tensors = 0, changed = 0, data_bytes = 0;
  std::vector<bool> used;  // one flag per transform, in file order
  std::vector<std::string> warnings;
};

/// Converts. On any error nothing has appeared at the destination and the source is untouched. Errors: all
/// kinds but those of receipts.
RewriteResult rewrite(const RewriteRequest& request, Progress& progress, const Interrupt& interrupt);

/// What rewrite() would do, up to the point where every offset is fixed. Owns all that the plan borrows.
struct PreparedPlan {
  std::unique_ptr<Checkpoint> checkpoint;
  std::unique_ptr<TransformTrie> trie;
  std::unique_ptr<KeyTable> keys;
  Plan plan;
};
PreparedPlan prepare_plan(const RewriteRequest& request);

}  // namespace keyshift
