// A whole key table through a Renaming for lint: what became of each key, with every name that
// a converter makes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/interrupt.h"
#include "transforms/renaming.h"

namespace keyshift {

struct LintedKey {
  std::string from;
  std::vector<std::string>
      to;  // one; more where a converter splits a tensor; none where the run failed or dropped it
  RenameOutcome outcome;
  std::optional<std::uint32_t> converter;  // the transform of the converter that fired
  std::string before_converter;            // and, on load, the name by which it tells its inputs apart
  std::string failure;                     // why there is no result
};

/// Keys in the order given; stateful transforms see them in dot-natural order. Errors: pattern_limit,
/// interrupted.
std::vector<LintedKey> run_load(const Renaming& renaming, std::vector<std::string> keys,
                                const Interrupt& interrupt);

/// A model's key, and the numbers of the experts (or layers) that a converter splits it into.
struct ModelKey {
  std::string key;
  std::vector<std::string> numbers = {"0", "1"};
};
std::vector<LintedKey> run_save(const Renaming& renaming, std::vector<ModelKey> keys,
                                const Interrupt& interrupt);

/// The purely numeric parts of `key`, each once.
std::vector<std::string> numeric_parts(std::string_view key);

}  // namespace keyshift
