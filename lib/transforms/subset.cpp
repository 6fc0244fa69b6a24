#include "transforms/subset.h"

#include <algorithm>

#include "base/error.h"

namespace keyshift {

namespace {

std::vector<Pattern> compiled(const std::vector<std::string>& patterns, std::string_view option) {
  std::vector<Pattern> out;
  out.reserve(patterns.size());
  for (const std::string& pattern : patterns) {
    try {
      out.emplace_back(pattern);
    } catch (const Error& error) {
      throw Error(error.kind(), error.message()).in(std::string(option));
    }
  }
  return out;
}

}  // namespace

Subset::Subset(const SubsetPatterns& patterns)
    : keep_(compiled(patterns.keep, "--keep")), drop_(compiled(patterns.drop, "--drop")) {}

bool Subset::any_matches(const std::vector<Pattern>& patterns, std::string_view key) {
  Match match;
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const Pattern& pattern) { return pattern.search(key, match); });
}

bool Subset::keeps(std::string_view key) const {
  return (keep_.empty() || any_matches(keep_, key)) && !any_matches(drop_, key);
}

}  // namespace keyshift
