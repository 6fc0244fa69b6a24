// From a request to a plan: the passes that decide everything and write nothing.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "format/checkpoint.h"
#include "plan/key_table.h"
#include "plan/plan.h"
#include "transforms/renaming.h"
#include "transforms/subset.h"

namespace keyshift {

struct PlanRequest {
  std::filesystem::path source;
  OpenOptions open;  // open.jobs threads read headers, and write them
  TransformList transforms;
  RenamingOptions renaming;
  SubsetPatterns subset;  // by old names; only what is kept is renamed
  PlanOptions options;
  bool rewrite_config = false;  // module names inside config.json follow (TRANSFORMS.md, T50 …)
};

/// A plan with all that it borrows.
struct PreparedPlan {
  std::unique_ptr<Checkpoint> checkpoint;
  std::unique_ptr<TransformTrie> trie;
  std::unique_ptr<KeyTable> keys;
  Plan plan;
};

/// Errors: those of Checkpoint::open, Renaming, KeyTable and make_plan; config_invalid.
PreparedPlan prepare_plan(const PlanRequest& request);

/// A load and then the save that reverses what the load used; `plan` is that of both together.
struct PreparedRoundtrip {
  PreparedPlan load;  // its `plan` is not made: nothing is written in between
  std::unique_ptr<TransformTrie> save_trie;
  std::unique_ptr<KeyTable> saved;
  Plan plan;
};
PreparedRoundtrip prepare_roundtrip(const PlanRequest& request);

}  // namespace keyshift
