#include "transforms/transform_trie.h"

#include <utility>

namespace keyshift {

struct TransformTrie::State {
  std::shared_ptr<const Renaming> renaming;
};

TransformTrie::TransformTrie(std::shared_ptr<const Renaming> renaming)
    : state_(std::make_unique<const State>(State{std::move(renaming)})) {}
TransformTrie::~TransformTrie() = default;

const Renaming& TransformTrie::renaming() const noexcept { return *state_->renaming; }

}  // namespace keyshift
