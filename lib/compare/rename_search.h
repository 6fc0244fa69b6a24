// From pairs of names to a short list of renamings that leads from the first to the second.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/interrupt.h"
#include "transforms/transform.h"

namespace keyshift {

struct NamePair {
  std::string from, to;
};

/// How often a name may be held against a candidate; some ten seconds.
inline constexpr std::uint64_t kMostLooks = 200'000'000;

/// Greedy: the renaming that brings most names nearer to where they belong and touches no other comes first,
/// and the next one starts from its results. Names that differ in numbers only count as one. What comes out
/// is held against every pair; those that came out wrong are looked at singly, and it starts again.
/// Some pairs may be left unexplained, so when `looks` are used up. Errors: interrupted.
TransformList search_renamings(const std::vector<NamePair>& pairs, const Interrupt& interrupt,
                               std::uint64_t looks = kMostLooks);

/// What the list, compiled, makes of each `from`. A list that fails on a name gives nothing.
std::vector<std::string> apply_renamings(const TransformList& list, const std::vector<NamePair>& pairs);

}  // namespace keyshift
