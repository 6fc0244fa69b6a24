// Findings as they are gathered: those of one kind about the same transforms become one.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "transforms/lint.h"

namespace keyshift {

class LintFindings {
 public:
  /// `keys`: what shows it; kept of the first of its like. `message`: of one sentence, the same for its like.
  void add(LintKind kind, std::vector<std::uint32_t> transforms, std::vector<std::string> keys,
           std::string message);
  void add(LintFinding finding);
  std::vector<LintFinding> take();

 private:
  std::vector<LintFinding> findings_;
  std::map<std::pair<LintKind, std::vector<std::uint32_t>>, std::size_t> places_;
};

}  // namespace keyshift
