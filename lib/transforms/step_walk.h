// One key walked through the steps of a trie in their order, past those that cannot match it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "transforms/transform_trie.h"

namespace keyshift {

/// Gives the steps to try, one after another. Re-used from key to key to save allocations.
class StepWalk {
 public:
  explicit StepWalk(const TransformTrie& trie) : trie_(&trie) {}

  void begin(std::string_view text, const PositionSet& open) {
    trie_->find_candidates(text, open, candidates_);
    next_ = 0;
    converter_fired_ = false;
  }
  /// The next step to try, by its number; false at the end.
  bool next(std::uint32_t& step) {
    while (next_ < candidates_.size()) {
      step = candidates_[next_++];
      if (!(converter_fired_ && trie_->steps()[step].is_converter)) return true;
    }
    return false;
  }
  /// `step`, given by next(), has made `text` of the key.
  void renamed(std::uint32_t step, std::string_view text, const PositionSet& open) {
    converter_fired_ |= trie_->steps()[step].is_converter;
    trie_->find_candidates(text, open, candidates_);
    next_ = static_cast<std::size_t>(std::upper_bound(candidates_.begin(), candidates_.end(), step) -
                                     candidates_.begin());
  }

 private:
  const TransformTrie* trie_;
  std::vector<std::uint32_t> candidates_;
  std::size_t next_ = 0;
  bool converter_fired_ = false;
};

}  // namespace keyshift
