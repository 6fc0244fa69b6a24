#include "transforms/exact_path.h"

#include <utility>

#include "base/error.h"

namespace keyshift {

ExactPath::Groups ExactPath::rename(std::string& key, RenameOutcome& outcome, ArmedSteps& armed) {
  const std::string original = key;
  outcome = {};
  Groups groups;
  if (trie_->renaming().options().strip_wrappers) {
    key = strip_wrappers(key);
    outcome.stripped_wrappers = key != original;
  }
  walk_.begin(key, {});
  for (std::uint32_t number = 0; walk_.next(number);) {
    const TransformTrie::Step& step = trie_->steps()[number];
    const bool was_armed = armed[number];
    std::optional<Applied> applied;
    try {
      applied = step.transform->apply(key, armed[number]);
    } catch (Error& error) {
      throw std::move(error).for_key(original);
    }
    groups.armed |= armed[number] && !was_armed;
    if (!applied) continue;
    groups.matched |= step.transform->is_stateful();
    outcome.transforms.push_back(step.index);
    if (step.is_converter) outcome.converter = step.transform->source_patterns()[applied->source];
    if (applied->dropped) {
      outcome.dropped = true;
      break;
    }
    walk_.renamed(number, key, {});
  }
  return groups;
}

}  // namespace keyshift
