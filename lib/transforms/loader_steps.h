// What the loader does after the transforms because it knows the model's keys (TRANSFORMS.md, T15), for many
// keys of few outcomes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "transforms/renamed_keys.h"
#include "transforms/renaming.h"

namespace keyshift {

class LoaderSteps {
 public:
  /// Borrows both; `renaming` has target keys.
  LoaderSteps(const Renaming& renaming, OutcomePool& pool) : renaming_(&renaming), pool_(&pool) {}

  /// `renamed`: what the transforms made of `key`; `outcome`: its number in the pool. Both are brought up to
  /// date. Errors: pattern_limit, naming the key.
  void run(std::string_view key, std::string& renamed, std::uint32_t& outcome);

 private:
  std::uint32_t changed(std::uint32_t outcome, bool prefix_changed, bool second_try);

  const Renaming* renaming_;
  OutcomePool* pool_;
  std::unordered_map<std::uint64_t, std::uint32_t> answers_;
};

}  // namespace keyshift
