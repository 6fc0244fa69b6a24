// One transform ready to run on one key, with the exact meaning of transformers' rename_source_key
// (TRANSFORMS.md, T5 …).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "transforms/pattern.h"
#include "transforms/transform.h"

namespace keyshift {

class KeyMapping;

/// What a transform did to a key, in bytes of the key as it came in.
struct Applied {
  std::size_t source = 0;       // which source pattern matched: index into source_patterns()
  std::size_t match_begin = 0;  // where the pattern matched …
  std::size_t match_end = 0;
  std::size_t replaced_at =
      0;  // … and where the first occurrence of that text stood: that is what was replaced
  std::size_t replacement_size = 0;  // bytes put in its place
  bool dropped = false;              // a KeyMapping dropped the tensor; the key is empty
};

/// Immutable, shared between threads. State that a GroupWeightRename keeps (armed or not) belongs to the
/// caller.
class CompiledTransform {
 public:
  /// Processes the patterns as the constructors of transformers do, then compiles them. Errors:
  /// transform_invalid, transform_unknown (an operation), pattern_invalid; all name the transform's place.
  explicit CompiledTransform(Transform transform);

  /// Renames `key` in place if the transform matches it; `key` is valid UTF-8. `armed`: this transform's
  /// state in the run, false at first; only a GroupWeightRename reads or writes it. Errors: rename_failed
  /// (the replacement asks for a group that did not take part), pattern_limit; both name the transform's
  /// place.
  std::optional<Applied> apply(std::string& key, bool& armed) const;

  /// Whether the pattern matches `key` at all, whatever would come of it. Errors: pattern_limit.
  bool matches(std::string_view key, Match& match) const;

  const Transform& transform() const noexcept { return transform_; }
  /// As transformers processed them; what `converter` names in results.
  const std::vector<std::string>& source_patterns() const noexcept { return sources_; }
  const std::vector<std::string>& target_patterns() const noexcept { return targets_; }
  /// The alternation of all sources, longest first. A KeyMapping has none.
  const Pattern& pattern() const noexcept { return *pattern_; }
  bool is_mapping() const noexcept { return mapping_ != nullptr; }
  bool is_converter() const noexcept { return transform_.type == TransformType::WeightConverter; }
  bool is_stateful() const noexcept { return transform_.type == TransformType::GroupWeightRename; }

 private:
  struct Branch {  // one source pattern in the alternation
    std::size_t source = 0;
    std::size_t group = 0;   // its group in the pattern …
    std::size_t groups = 0;  // … and how many groups lie inside that
  };

  void compile_mapping();
  std::optional<Applied> apply_mapping(std::string& key) const;
  std::optional<std::size_t> scope_size(std::string_view key) const noexcept;
  bool search(std::string_view subject, Match& match) const;
  const Branch& matched_branch(const Match& match) const;
  std::string_view inner_group(const Branch& branch, const Match& match, std::string_view subject) const;
  std::string replacement(const Branch& branch, const Match& match, std::string_view subject) const;
  std::string group_replacement(const Branch& branch, const Match& match, std::string_view subject) const;
  std::string shifted_replacement(const Branch& branch, const Match& match, std::string_view subject) const;

  Transform transform_;
  std::vector<std::string> sources_, targets_;
  std::vector<Branch> branches_;  // in the order of the alternation
  std::string scope_, base_and_scope_;
  std::shared_ptr<const Pattern> pattern_;
  std::shared_ptr<const KeyMapping> mapping_;
};

}  // namespace keyshift
