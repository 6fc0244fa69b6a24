// A whole list of transforms in one direction, applied to a key one after another: the plain form, which says
// what the result is. The trie (transform_trie.h) is the fast form and must agree with it on every key;
// verify uses only this one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "transforms/compiled_transform.h"
#include "transforms/transform.h"

namespace keyshift {

/// The keys that a model expects (--target): switches on the loader's base-model-prefix step and its second
/// try (T15).
struct TargetKeys {
  struct Hash {  // so that a view can be looked up without a copy
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const noexcept { return std::hash<std::string_view>()(key); }
  };
  std::unordered_set<std::string, Hash, std::equal_to<>> keys;
  bool contains(std::string_view key) const { return keys.contains(key); }
};

/// Which transforms a save reverses (T12).
struct UsedTransforms {
  enum class Which : std::uint8_t {
    all,      // every transform
    fresh,    // as for a model that was never loaded: all but PrefixChange
    flagged,  // those whose flag is set, as a receipt carries them
  };
  Which which = Which::fresh;
  std::vector<bool> flags;  // flagged: one per transform, in file order
};

struct RenamingOptions {
  Direction direction = Direction::load;
  UsedTransforms used;                       // save only
  bool strip_wrappers = false;               // load only, before all transforms (T14)
  std::shared_ptr<const TargetKeys> target;  // a save takes no notice of it
};

/// What happened to one key.
struct RenameOutcome {
  std::vector<std::uint32_t>
      transforms;  // indices in file order of those that matched, in the order in which they ran
  std::optional<std::string>
      converter;  // the source pattern of the converter that fired, as transformers processed it
  bool stripped_wrappers = false;
  bool base_prefix_changed = false;  // the loader's base-model-prefix step added or removed it
  bool dropped = false;              // a KeyMapping dropped the tensor; its new key is empty
  bool second_try = false;  // the loader threw the transforms' result away: the target has the original key
  bool operator==(const RenameOutcome&) const = default;
};

/// A step of explain: what one transform made of the key.
struct RenameStep {
  std::optional<std::uint32_t> transform;  // file order; nullopt for keyshift's and the loader's own steps
  std::string what;                        // "WeightRenaming", "strip wrappers", "base model prefix" …
  std::string before, after;
  Applied applied;
  /// False: a GroupWeightRename that would have done this, had its first source pattern matched a key before.
  bool armed = true;
};

/// Immutable once made: compiled transforms of one list in one direction, in the order in which they run: on
/// load renamings in file order, then at most one converter; on save at most one reversed converter, then the
/// reversed renamings in reversed order (T10).
class Renaming {
 public:
  /// Errors: those of CompiledTransform; transform_invalid (a transform that cannot be reversed, on save);
  /// usage (flags of the wrong number; strip_wrappers on save).
  Renaming(const TransformList& list, RenamingOptions options);

  struct Step {
    CompiledTransform transform;
    std::uint32_t index = 0;  // file order
  };
  const std::vector<Step>& renamings() const noexcept { return renamings_; }    // in running order
  const std::vector<Step>& converters() const noexcept { return converters_; }  // in running order
  const RenamingOptions& options() const noexcept { return options_; }
  /// The loader's base-model-prefix step (T15): adds the model's prefix to `key` or strips it, if the target
  /// has the key so. False if nothing changed, as always on save, without a target or without a prefix.
  /// Errors: pattern_limit.
  bool adjust_base_prefix(std::string& key) const;
  std::size_t transform_count() const noexcept { return transform_count_; }
  /// True if the order of keys matters, so that they must come once, all together, in dot-natural order
  /// (T11).
  bool is_stateful() const noexcept;

 private:
  std::vector<Step> renamings_, converters_;
  RenamingOptions options_;
  std::optional<std::string> base_model_prefix_;
  std::shared_ptr<const Pattern> base_prefix_pattern_;
  std::size_t transform_count_ = 0;
};

/// One pass over keys, rule by rule. Keeps armed groups and used-flags. With a stateful Renaming the caller
/// brings the keys in dot-natural order.
class PlainRun {
 public:
  /// Borrows `renaming`, which must outlive it.
  explicit PlainRun(const Renaming& renaming);
  /// The new key. `outcome` and `steps` are filled if given. Errors: rename_failed, pattern_limit, naming the
  /// key.
  std::string rename(std::string_view key, RenameOutcome* outcome = nullptr,
                     std::vector<RenameStep>* steps = nullptr);
  /// One flag per transform, in file order.
  const std::vector<bool>& used() const noexcept { return used_; }

 private:
  struct Trace {
    RenameOutcome* outcome;
    std::vector<RenameStep>* steps;  // null where nobody wants to know
  };
  std::string strip(std::string_view key, Trace trace) const;
  static void trace_unarmed(const Renaming::Step& step, const std::string& key, Trace trace);
  bool apply(const Renaming::Step& step, bool& armed, std::string& key, Trace trace);
  void apply_renamings(std::string& key, Trace trace);
  void apply_converters(std::string& key, Trace trace);
  void apply_loader_steps(const std::string& original, std::string& key, Trace trace);
  void adjust_base_prefix(std::string& key, Trace trace);

  const Renaming* renaming_;
  std::vector<bool> used_;
  std::unique_ptr<bool[]> armed_;  // per running renaming
};

/// transformers' dot_natural_key as an ordering: parts between dots; numeric parts before others, by value; a
/// text part by its text, then by its trailing number (T11). Equal keys by this order keep their input order
/// (use a stable sort).
bool dot_natural_less(std::string_view a, std::string_view b);

/// Removes what torch.compile, DDP, FSDP and activation checkpointing leave in names, until none is left
/// (T14).
std::string strip_wrappers(std::string_view key);

}  // namespace keyshift
