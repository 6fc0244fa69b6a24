// The compiled form of a Renaming: immutable, shared between threads. What it makes cheap: to know, for a key
// that was never seen, which few transforms can match at all (a trie of the pieces of text that their
// patterns require), and whether a result may be re-used for keys that differ only in their numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "transforms/fragment_trie.h"
#include "transforms/position_set.h"
#include "transforms/renaming.h"

namespace keyshift {

class TransformTrie {
 public:
  /// Shares `renaming`.
  explicit TransformTrie(std::shared_ptr<const Renaming> renaming);
  TransformTrie(const TransformTrie&) = delete;
  TransformTrie& operator=(const TransformTrie&) = delete;

  const Renaming& renaming() const noexcept { return *renaming_; }

  // What follows is for RenameRun.

  /// A transform in the order in which they run: on load renamings, then converters; on save the reverse.
  struct Step {
    const CompiledTransform* transform = nullptr;
    std::uint32_t index = 0;            // in file order
    bool is_converter = false;          // at most one of them fires
    bool treats_digits_alike = false;   // no test of its pattern tells one digit from another
    bool is_scoped = false;             // matches only below one of …
    std::vector<std::string> prefixes;  // … these, the longest first; each is empty or ends with a dot
  };
  const std::vector<Step>& steps() const noexcept { return steps_; }
  /// There is a KeyMapping, which may replace many places: each key has to go the exact path.
  bool has_mappings() const noexcept { return has_mappings_; }

  /// The steps that could match `text`, where digits at `open` positions may be any digits: ascending, none
  /// twice. All others do not match.
  void find_candidates(std::string_view text, const PositionSet& open,
                       std::vector<std::uint32_t>& steps) const;

 private:
  void add(const Renaming::Step& step, bool is_converter);

  std::shared_ptr<const Renaming> renaming_;
  std::vector<Step> steps_;
  bool has_mappings_ = false;
  FragmentTrie fragments_;
  std::vector<std::uint32_t> unconditional_;  // steps of which nothing is known, ascending
};

}  // namespace keyshift
