#include "transforms/transform_trie.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "transforms/digit_dependence.h"
#include "transforms/required_fragments.h"

namespace keyshift {
namespace {

std::size_t shortest(const FragmentSet& set) {
  std::size_t size = kLongestFragment;
  for (const std::string& fragment : set) size = std::min(size, fragment.size());
  return size;
}

/// In a scope a pattern sees the key without its prefix, so its start says nothing about the key's.
void forget_start(std::vector<FragmentSet>& sets) {
  for (FragmentSet& set : sets) {
    for (std::string& fragment : set) {
      if (fragment.front() == kStartOfText) fragment.erase(0, fragment.find_first_not_of(kAnyCharacter, 1));
    }
  }
}

/// Chooses for each step the set of fragments that the fewest other steps share, so that a key that was never
/// seen has few candidates.
class FragmentChoice {
 public:
  void add(std::uint32_t step, std::vector<FragmentSet> sets) {
    for (const FragmentSet& set : sets) {
      for (const std::string& fragment : set) ++uses_[fragment];
    }
    options_.emplace_back(step, std::move(sets));
  }

  std::vector<std::pair<std::string, std::uint32_t>> chosen() const {
    std::vector<std::pair<std::string, std::uint32_t>> result;
    for (const auto& [step, sets] : options_) {
      const auto best = std::min_element(sets.begin(), sets.end(), [&](const auto& a, const auto& b) {
        const std::size_t uses_a = most_used(a), uses_b = most_used(b);
        return uses_a != uses_b ? uses_a < uses_b : shortest(a) > shortest(b);
      });
      for (const std::string& fragment : *best) result.emplace_back(fragment, step);
    }
    return result;
  }

 private:
  std::size_t most_used(const FragmentSet& set) const {
    std::size_t uses = 0;
    for (const std::string& fragment : set) uses = std::max(uses, uses_.at(fragment));
    return uses;
  }

  std::unordered_map<std::string, std::size_t> uses_;
  std::vector<std::pair<std::uint32_t, std::vector<FragmentSet>>> options_;
};

}  // namespace

TransformTrie::TransformTrie(std::shared_ptr<const Renaming> renaming) : renaming_(std::move(renaming)) {
  const bool load = renaming_->options().direction == Direction::load;
  steps_.reserve(renaming_->renamings().size() + renaming_->converters().size());
  for (const bool converters : {!load, load}) {
    for (const auto& step : converters ? renaming_->converters() : renaming_->renamings())
      add(step, converters);
  }

  FragmentChoice choice;
  for (std::uint32_t i = 0; i < steps_.size(); ++i) {
    std::vector<FragmentSet> sets;
    if (!steps_[i].transform->is_mapping())
      sets = required_fragments(steps_[i].transform->pattern().syntax());
    if (steps_[i].is_scoped) forget_start(sets);
    if (sets.empty()) {
      unconditional_.push_back(i);
    } else {
      choice.add(i, std::move(sets));
    }
  }
  fragments_ = FragmentTrie(choice.chosen());
}

void TransformTrie::add(const Renaming::Step& step, bool is_converter) {
  Step added;
  added.transform = &step.transform;
  added.index = step.index;
  added.is_converter = is_converter;
  has_mappings_ = has_mappings_ || step.transform.is_mapping();
  added.treats_digits_alike =
      !step.transform.is_mapping() && treats_digits_alike(step.transform.pattern().syntax());
  const Transform& transform = step.transform.transform();
  if (transform.scope_prefix) {
    added.is_scoped = true;
    const std::string scope = transform.scope_prefix->empty() ? "" : *transform.scope_prefix + ".";
    const std::string base = transform.base_model_prefix.empty() ? "" : transform.base_model_prefix + ".";
    added.prefixes = {base + scope, scope};
  }
  steps_.push_back(std::move(added));
}

void TransformTrie::find_candidates(std::string_view text, const PositionSet& open,
                                    std::vector<std::uint32_t>& steps) const {
  steps.assign(unconditional_.begin(), unconditional_.end());
  fragments_.find(text, open, steps);
  std::sort(steps.begin(), steps.end());
  steps.erase(std::unique(steps.begin(), steps.end()), steps.end());
}

}  // namespace keyshift
