#include "transforms/rename_run.h"

#include <algorithm>
#include <string>
#include <utility>

#include "transforms/loader_steps.h"
#include "transforms/shape_run.h"

namespace keyshift {

struct RenameRun::State {
  State(const TransformTrie& given, const ShapeKernel& kernel)
      : trie(given),
        shape_run(given, kernel, findings,
                  given.renaming().is_stateful() ? ShapeRun::Groups::defer : ShapeRun::Groups::follow) {
    findings.used.assign(given.renaming().transform_count(), false);
    if (given.renaming().is_stateful()) {
      ordered_run = std::make_unique<ShapeRun>(given, kernel, findings, ShapeRun::Groups::follow);
    }
  }

  /// What the transforms make of the keys, without the loader's own steps.
  void rename_by_transforms(std::span<const std::string_view> keys, RenamedKeys& out) {
    if (ordered_run) {
      rename_with_groups(keys, out);
    } else {
      shape_run.rename(keys, out);
    }
  }

  void rename_with_groups(std::span<const std::string_view> keys, RenamedKeys& out);
  void rename_for_target(std::span<const std::string_view> keys, RenamedKeys& out);

  const TransformTrie& trie;
  RunFindings findings;
  ShapeRun shape_run;
  std::unique_ptr<ShapeRun> ordered_run;  // of keys that a GroupWeightRename matches
};

/// Only the keys that a group matches have to go through in dot-natural order: no other key arms one or is
/// changed by one. They are few, often none, and sorting is what costs most.
void RenameRun::State::rename_with_groups(std::span<const std::string_view> keys, RenamedKeys& out) {
  RenamedKeys most;
  shape_run.rename(keys, most);
  std::vector<std::size_t> order = shape_run.deferred();
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return dot_natural_less(keys[a], keys[b]); });
  std::vector<std::string_view> sorted;
  sorted.reserve(order.size());
  for (const std::size_t i : order) sorted.push_back(keys[i]);
  RenamedKeys others;
  ordered_run->rename(sorted, others);

  constexpr std::size_t kNotDeferred = static_cast<std::size_t>(-1);
  std::vector<std::size_t> place(keys.size(), kNotDeferred);  // in `others`
  for (std::size_t i = 0; i < order.size(); ++i) place[order[i]] = i;
  out.begin_pool(findings.pool);
  out.reserve_keys(keys.size());
  out.reserve_text(most.text().size() + others.text().size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const RenamedKeys& from = place[i] == kNotDeferred ? most : others;
    const std::size_t at = place[i] == kNotDeferred ? i : place[i];
    out.append(from[at], from.outcome_number(at));
  }
  out.end_pool();
}

void RenameRun::State::rename_for_target(std::span<const std::string_view> keys, RenamedKeys& out) {
  RenamedKeys renamed;
  rename_by_transforms(keys, renamed);
  LoaderSteps steps(trie.renaming(), *findings.pool);
  out.begin_pool(findings.pool);
  out.reserve_keys(keys.size());
  std::string text;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    text = renamed[i];
    std::uint32_t outcome = renamed.outcome_number(i);
    steps.run(keys[i], text, outcome);
    out.reserve_text(text.size());
    out.append(text, outcome);
  }
  out.end_pool();
}

RenameRun::RenameRun(const TransformTrie& trie) : RenameRun(trie, best_kernel()) {}
RenameRun::RenameRun(const TransformTrie& trie, const ShapeKernel& kernel)
    : state_(std::make_unique<State>(trie, kernel)) {}
RenameRun::~RenameRun() = default;
RenameRun::RenameRun(RenameRun&&) noexcept = default;
RenameRun& RenameRun::operator=(RenameRun&&) noexcept = default;

void RenameRun::rename(std::span<const std::string_view> keys, RenamedKeys& out) {
  const RenamingOptions& options = state_->trie.renaming().options();
  if (options.target && options.direction == Direction::load) {
    state_->rename_for_target(keys, out);
  } else {
    state_->rename_by_transforms(keys, out);
  }
}

void RenameRun::write_lines(std::span<const std::string_view> keys, RenamedKeys& out) {
  state_->shape_run.write_lines(keys, out);
}

std::vector<bool> RenameRun::used() const { return state_->findings.used; }
std::size_t RenameRun::shapes() const noexcept {
  return state_->shape_run.shapes() + (state_->ordered_run ? state_->ordered_run->shapes() : 0);
}

}  // namespace keyshift
