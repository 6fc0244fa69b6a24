// The key table: every tensor of a checkpoint with its old and its new key. Once checked it is fixed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "format/checkpoint.h"
#include "transforms/rename_run.h"
#include "transforms/subset.h"
#include "transforms/transform_trie.h"

namespace keyshift {

/// Rows in the order of the shards and, within a shard, of its header's text. Borrows the checkpoint, which
/// must outlive it, and the trie's run; owns the new keys. Moving it keeps all views valid.
class KeyTable {
 public:
  struct Row {
    std::uint32_t shard = 0;   // index into checkpoint.shards()
    std::uint32_t tensor = 0;  // index into that header's tensors()
    std::string_view from, to;
    bool dropped = false;  // is not written; then `to` means nothing
  };

  /// Renames all keys of `checkpoint` that `subset` keeps. Errors: rename_failed, pattern_limit.
  static KeyTable rename(const Checkpoint& checkpoint, const TransformTrie& trie,
                         const Subset& subset = Subset({}));
  /// The same table with its new keys renamed once more (load, then save). Outcomes are those of the second
  /// renaming.
  KeyTable renamed_again(const TransformTrie& trie) const;

  const Checkpoint& checkpoint() const noexcept { return *checkpoint_; }
  const std::vector<Row>& rows() const noexcept { return rows_; }
  /// Of a row that was not dropped before the renaming.
  const RenameOutcome& outcome(std::size_t row) const noexcept { return renamed_->outcome(numbers_[row]); }
  /// One flag per transform, in file order.
  const std::vector<bool>& used() const noexcept { return used_; }
  std::size_t kept() const noexcept;     // rows that are written: all but the dropped ones
  std::size_t changed() const noexcept;  // rows that are written and whose key changed
  std::size_t shapes() const noexcept;   // distinct shapes of keys

  /// Throws if the rows that are kept cannot be written: collision (naming both old keys and the new one),
  /// key_empty, key_reserved
  /// (`__metadata__`), operation_unsupported (a WeightConverter fired: its tensors would have to change).
  void check() const;

 private:
  KeyTable() = default;
  static KeyTable run(const Checkpoint& checkpoint, std::vector<Row> rows, const TransformTrie& trie);

  const Checkpoint* checkpoint_ = nullptr;
  std::vector<Row> rows_;
  std::unique_ptr<RenamedKeys> renamed_;
  std::vector<std::uint32_t> numbers_;  // by row: its number in renamed_
  std::unique_ptr<RenameRun> run_;      // outcomes live as long as the run
  std::vector<bool> used_;
};

/// Two keys that became one.
struct Collision {
  std::size_t first = 0, second = 0;  // indices of the old keys
};
/// All collisions among `new_keys`: each later key that equals an earlier one, with the first such.
std::vector<Collision> find_collisions(const std::vector<std::string_view>& new_keys);

}  // namespace keyshift
