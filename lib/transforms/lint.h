// What is wrong with a list of transforms, each finding with a key that shows it (TRANSFORMS.md, T60 …).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/interrupt.h"
#include "transforms/renaming.h"

namespace keyshift {

enum class LintKind : std::uint8_t {
  fails,            // T62: the run stops at a key
  unwritable,       // T62: a key becomes one that no file can hold
  collision,        // T63: two keys become one
  unused,           // T64: a transform matches no key
  not_idempotent,   // T65: a second load changes keys
  not_reversible,   // T66: the way back leads elsewhere
  needs_target,     // T66: the way back leads home only for a loader that knows the model's keys
  needs_receipt,    // T67: without knowing what the load used, a save leaves a prefix away
  order_dependent,  // T68: two transforms the other way round give another key
};
/// As it is spelled here.
std::string_view name(LintKind kind) noexcept;

struct LintFinding {
  LintKind kind = LintKind::fails;
  std::vector<std::uint32_t> transforms;  // those concerned, in file order
  /// What shows it, by kind. fails: the key. unwritable: key, new key. collision: key, other key, what both
  /// become. not_idempotent: the key, loaded, loaded again (on save without the first, for the key is the
  /// model's). not_reversible and needs_target: there and back. needs_receipt: there, and what a save without
  /// a receipt makes of it. order_dependent: the key as it comes to them, in their order, the other way
  /// round.
  std::vector<std::string> keys;
  std::uint64_t count = 1;  // keys of which the same is true; order_dependent: shapes of keys
  std::string message;      // one sentence
};

struct LintSubject {
  const TransformList& transforms;
  const RenamingOptions& renaming;  // load: the keys are a checkpoint's; save: a model's
  std::span<const std::string_view> keys;
  bool keys_are_all = true;  // they are a whole table: a transform that matches none of them is unused
};

/// Findings of the same kind about the same transforms are one. Errors: those of Renaming in the direction
/// asked for; pattern_limit; interrupted.
std::vector<LintFinding> lint_names(const LintSubject& subject, const Interrupt& interrupt);

/// Keys made from the patterns of `renaming`, so that each transform has some that it matches, where such are
/// easily found (T61).
std::vector<std::string> example_keys(const Renaming& renaming);

}  // namespace keyshift
