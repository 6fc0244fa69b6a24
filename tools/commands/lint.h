// What `lint` found, for people and for programs.
#pragma once

#include <string>
#include <vector>

#include "format/checkpoint_lint.h"
#include "tools/command.h"
#include "tools/style.h"
#include "transforms/lint.h"

namespace keyshift::tools {

struct LintAnswer {
  const TransformList& transforms;
  Direction direction = Direction::load;
  bool names_looked_at = false;  // there were transforms
  std::size_t keys = 0;
  bool made_from_patterns = false;
  std::vector<LintFinding> findings;
  std::string path;  // of the checkpoint, if one was looked at
  std::vector<CheckpointFinding> checkpoint;

  bool clean() const { return findings.empty() && checkpoint.empty(); }
};

std::string lint_text(const LintAnswer& answer, const Style& style);
/// One line of JSON, keyshift-lint/1.
std::string lint_json(const LintAnswer& answer);

}  // namespace keyshift::tools
