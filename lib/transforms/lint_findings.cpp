#include "transforms/lint_findings.h"

#include <algorithm>

namespace keyshift {

std::string_view name(LintKind kind) noexcept {
  switch (kind) {
    case LintKind::fails:
      return "fails";
    case LintKind::unwritable:
      return "unwritable";
    case LintKind::collision:
      return "collision";
    case LintKind::unused:
      return "unused";
    case LintKind::not_idempotent:
      return "not_idempotent";
    case LintKind::not_reversible:
      return "not_reversible";
    case LintKind::needs_target:
      return "needs_target";
    case LintKind::needs_receipt:
      return "needs_receipt";
    case LintKind::order_dependent:
      return "order_dependent";
  }
  return "";
}

void LintFindings::add(LintKind kind, std::vector<std::uint32_t> transforms, std::vector<std::string> keys,
                       std::string message) {
  std::sort(transforms.begin(), transforms.end());
  transforms.erase(std::unique(transforms.begin(), transforms.end()), transforms.end());
  const auto [place, is_new] = places_.try_emplace({kind, transforms}, findings_.size());
  if (!is_new) {
    ++findings_[place->second].count;
    return;
  }
  findings_.push_back({kind, std::move(transforms), std::move(keys), 1, std::move(message)});
}

void LintFindings::add(LintFinding finding) { findings_.push_back(std::move(finding)); }

std::vector<LintFinding> LintFindings::take() {
  std::stable_sort(findings_.begin(), findings_.end(),
                   [](const LintFinding& a, const LintFinding& b) { return a.kind < b.kind; });
  return std::move(findings_);
}

}  // namespace keyshift
