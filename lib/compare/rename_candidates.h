// Renamings that could lead from one name to another, from the most general to one that fits a single name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "transforms/transform.h"

namespace keyshift {

/// A renaming, and text that a name must hold if it is to match.
struct RenameCandidate {
  Transform transform;
  std::string needle;
  std::size_t cost = 0;  // how much it says: of two that do the same, the cheaper one is better
};

/// Candidates that make `to`, or a step towards it, of `from`: each exchanges one place in which they differ,
/// or several at once, with more and more of what stands around it. Numbers around it may be any numbers.
void add_candidates(std::string_view from, std::string_view to, std::vector<RenameCandidate>& candidates);

/// A candidate that puts `prefix` and a dot before all names but those that begin with one of `heads`.
RenameCandidate prefix_candidate(const std::string& prefix, const std::vector<std::string>& heads);

/// `text` as a pattern that matches it.
std::string escape_pattern(std::string_view text);

}  // namespace keyshift
