// One key through the transforms one after another, past those that cannot match it: what a RenameRun does
// with a key whose result cannot be had from its shape.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "transforms/renaming.h"
#include "transforms/step_walk.h"
#include "transforms/transform_trie.h"

namespace keyshift {

/// Which groups a run has armed, by the number of the step.
using ArmedSteps = std::unique_ptr<bool[]>;

class ExactPath {
 public:
  /// Borrows `trie`.
  explicit ExactPath(const TransformTrie& trie) : trie_(&trie), walk_(trie) {}

  struct Groups {
    bool matched = false;  // a GroupWeightRename that is armed matched
    bool armed = false;    // one was armed
  };
  /// Renames `key` in place as PlainRun would without the target's keys, and fills `outcome`. Errors:
  /// rename_failed, pattern_limit, naming the key.
  Groups rename(std::string& key, RenameOutcome& outcome, ArmedSteps& armed);

 private:
  const TransformTrie* trie_;
  StepWalk walk_;
};

}  // namespace keyshift
