#include "transforms/explain.h"

#include <algorithm>

namespace keyshift {

namespace {

// What a run sees before it comes to `key`: every key that the order puts before it, and of those that tie
// with it the ones that come earlier among `others`.
std::vector<std::string_view> keys_before(std::string_view key, std::span<const std::string_view> others) {
  std::vector<std::string_view> sorted(others.begin(), others.end());
  std::stable_sort(sorted.begin(), sorted.end(), dot_natural_less);
  auto end = std::lower_bound(sorted.begin(), sorted.end(), key, dot_natural_less);
  const auto ties = std::upper_bound(end, sorted.end(), key, dot_natural_less);
  end = std::find(end, ties, key);
  sorted.erase(end, sorted.end());
  return sorted;
}

std::vector<std::uint32_t> also_matching(const Renaming& renaming, const std::vector<RenameStep>& steps) {
  std::vector<std::uint32_t> out;
  const auto fired = std::find_if(steps.begin(), steps.end(),
                                  [](const RenameStep& step) { return step.what == "WeightConverter"; });
  if (fired == steps.end()) return out;
  bool behind = false;
  for (const Renaming::Step& step : renaming.converters()) {
    Match match;
    if (behind && step.transform.matches(fired->before, match)) out.push_back(step.index);
    behind = behind || step.index == *fired->transform;
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

Explanation explain(const Renaming& renaming, std::string_view key,
                    std::span<const std::string_view> others) {
  PlainRun run(renaming);
  if (renaming.is_stateful()) {
    for (const std::string_view before : keys_before(key, others)) run.rename(before);
  }
  Explanation out;
  out.from = key;
  out.to = run.rename(key, &out.outcome, &out.steps);
  out.passed_over = also_matching(renaming, out.steps);
  return out;
}

const Renaming::Step* find_step(const Renaming& renaming, std::uint32_t index) noexcept {
  for (const auto* steps : {&renaming.renamings(), &renaming.converters()}) {
    const auto found = std::find_if(steps->begin(), steps->end(),
                                    [&](const Renaming::Step& step) { return step.index == index; });
    if (found != steps->end()) return &*found;
  }
  return nullptr;
}

}  // namespace keyshift
