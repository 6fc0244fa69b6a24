// The compiled form of a Renaming: immutable, shared between threads. What it makes cheap: to know, for a key
// that was never seen, which few transforms can match at all (a trie of the literal texts that their patterns
// require), and whether a result may be re-used for keys that differ only in their numbers.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "transforms/renaming.h"

namespace keyshift {

class TransformTrie {
 public:
  /// Shares `renaming`.
  explicit TransformTrie(std::shared_ptr<const Renaming> renaming);
  ~TransformTrie();
  TransformTrie(const TransformTrie&) = delete;
  TransformTrie& operator=(const TransformTrie&) = delete;

  const Renaming& renaming() const noexcept;

 private:
  friend class RenameRun;
  struct State;
  std::unique_ptr<const State> state_;
};

}  // namespace keyshift
