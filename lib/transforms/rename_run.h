// One run of renamings over the keys of a checkpoint, at the cost of its distinct shapes of keys.
//
// A key's shape is its text with the digits of its purely numeric parts left open: model.layers.17.mlp.weight
// and model.layers.42.mlp.weight are of one shape. The first key of a shape goes through the transforms one
// by one; the rest re-use its result, unless a transform could tell their numbers apart. Results are always
// those of PlainRun.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "transforms/renamed_keys.h"
#include "transforms/transform_trie.h"

namespace keyshift {

struct ShapeKernel;

/// Owned by its caller, used by one thread at a time: shapes learned, armed groups, used-flags.
class RenameRun {
 public:
  /// Borrows `trie`, which must outlive it.
  explicit RenameRun(const TransformTrie& trie);
  /// With that loop instead of this machine's fastest one (for tests and benchmarks).
  RenameRun(const TransformTrie& trie, const ShapeKernel& kernel);
  ~RenameRun();
  RenameRun(RenameRun&&) noexcept;
  RenameRun& operator=(RenameRun&&) noexcept;

  /// Renames keys[i] to out[i], appending to `out`. With a stateful Renaming all keys of all shards must come
  /// in one call, in any order: they are taken in dot-natural order. Errors: rename_failed, pattern_limit,
  /// naming the key; `out` then holds a part of the keys and is fit only for clear().
  void rename(std::span<const std::string_view> keys, RenamedKeys& out);

  /// Appends a line for each key, `old<TAB>new<NEWLINE>`: out[i] is the whole of it. Only where a key's new
  /// name is its own affair: without state and without a target. Errors: as rename().
  void write_lines(std::span<const std::string_view> keys, RenamedKeys& out);

  /// One flag per transform, in file order.
  std::vector<bool> used() const;
  /// Distinct shapes met.
  std::size_t shapes() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace keyshift
