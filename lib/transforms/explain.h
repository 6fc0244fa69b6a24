// What one key goes through, step by step: the plain form with its trace, for people who wonder.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "transforms/renaming.h"

namespace keyshift {

struct Explanation {
  std::string from, to;
  RenameOutcome outcome;
  std::vector<RenameStep> steps;
  /// Converters, in file order, that match as well, but stand behind the one that fired.
  std::vector<std::uint32_t> passed_over;
};

/// Explains `key`. With a stateful Renaming the key is one of `others`, the keys of a checkpoint in any order
/// (or is taken as one more of them), and these run first as far as the dot-natural order puts them before
/// it; without others no group is armed. Errors: those of PlainRun.
Explanation explain(const Renaming& renaming, std::string_view key,
                    std::span<const std::string_view> others = {});

/// The step that runs transform `index` of the file in this direction, or null if none does.
const Renaming::Step* find_step(const Renaming& renaming, std::uint32_t index) noexcept;

}  // namespace keyshift
