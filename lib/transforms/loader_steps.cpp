#include "transforms/loader_steps.h"

#include <utility>

#include "base/error.h"

namespace keyshift {

void LoaderSteps::run(std::string_view key, std::string& renamed, std::uint32_t& outcome) {
  if ((*pool_)[outcome].dropped) return;
  try {
    const TargetKeys& target = *renaming_->options().target;
    bool prefix_changed = renaming_->adjust_base_prefix(renamed);
    bool second_try = false;
    if (!target.contains(renamed)) {
      std::string original = renaming_->options().strip_wrappers ? strip_wrappers(key) : std::string(key);
      if (target.contains(original)) {
        second_try = true;
        renamed = std::move(original);
        prefix_changed = renaming_->adjust_base_prefix(renamed);
      }
    }
    if (prefix_changed || second_try) outcome = changed(outcome, prefix_changed, second_try);
  } catch (Error& error) {
    throw std::move(error).for_key(key);
  }
}

std::uint32_t LoaderSteps::changed(std::uint32_t outcome, bool prefix_changed, bool second_try) {
  const std::uint64_t question =
      std::uint64_t{outcome} << 2U | (prefix_changed ? 1U : 0U) | (second_try ? 2U : 0U);
  const auto [answer, is_new] = answers_.try_emplace(question);
  if (is_new) {
    RenameOutcome copy = (*pool_)[outcome];
    copy.base_prefix_changed = prefix_changed;
    copy.second_try = second_try;
    if (second_try) copy.converter.reset();
    answer->second = pool_->intern(std::move(copy));
  }
  return answer->second;
}

}  // namespace keyshift
