// A subset of a checkpoint's tensors, chosen by patterns over their old names (TRANSFORMS.md, T39).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "transforms/pattern.h"

namespace keyshift {

/// Patterns with the meaning of Python's re.search. Nothing given: everything is kept.
struct SubsetPatterns {
  std::vector<std::string> keep;  // if there is one, only keys in which one of them matches are kept
  std::vector<std::string> drop;  // and of these, keys in which one of these matches are dropped
  bool is_everything() const noexcept { return keep.empty() && drop.empty(); }
  bool operator==(const SubsetPatterns&) const = default;
};

/// The patterns, compiled. Immutable.
class Subset {
 public:
  /// Errors: pattern_invalid with the pattern and a caret, in the name of its option.
  explicit Subset(const SubsetPatterns& patterns);
  /// Whether the tensor of this old name is kept. Errors: pattern_limit with the key.
  bool keeps(std::string_view key) const;

 private:
  static bool any_matches(const std::vector<Pattern>& patterns, std::string_view key);
  std::vector<Pattern> keep_, drop_;
};

}  // namespace keyshift
