// The key table: every tensor of a checkpoint with its old and its new key. Once checked it is fixed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <string_view>
#include <vector>

#include "base/function_ref.h"
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
  std::size_t size() const noexcept { return shard_of_.size(); }  // rows
  Row row(std::size_t i) const noexcept;
  /// All of them, a range that can be indexed.
  auto rows() const noexcept {
    return std::views::iota(std::size_t{0}, size()) |
           std::views::transform([this](std::size_t i) { return row(i); });
  }
  /// The first row of a shard's tensors.
  std::size_t first_row(std::size_t shard) const noexcept { return first_rows_[shard]; }
  std::uint32_t shard_of(std::size_t row) const noexcept { return shard_of_[row]; }
  /// The tensor of a row as the source has it.
  const TensorInfo& tensor(std::size_t row) const noexcept {
    const std::uint32_t shard = shard_of_[row];
    return checkpoint_->shards()[shard].header().tensors()[row - first_rows_[shard]];
  }
  /// Row::to and Row::dropped alone.
  std::string_view new_key(std::size_t row) const noexcept {
    return is_dropped(row) ? std::string_view() : (*renamed_)[number_of(row)];
  }
  bool is_dropped(std::size_t row) const noexcept {
    return drops_ && (number_of(row) == kDropped || renamed_->outcome(number_of(row)).dropped);
  }
  /// Of a row that was not dropped before the renaming.
  const RenameOutcome& outcome(std::size_t row) const noexcept { return renamed_->outcome(number_of(row)); }
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
  static constexpr std::uint32_t kDropped = 0xFFFFFFFF;  // the number of what was dropped before the renaming

  explicit KeyTable(const Checkpoint& checkpoint);
  /// `name_of`: what a row is called now; nullopt where it is dropped already.
  void rename_rows(const TransformTrie& trie,
                   function_ref<std::optional<std::string_view>(std::size_t row)> name_of);
  std::uint32_t number_of(std::size_t row) const noexcept {
    return numbers_.empty() ? static_cast<std::uint32_t>(row) : numbers_[row];
  }
  void check_row(const Row& row, const RenameOutcome& outcome) const;
  void check_collisions() const;

  const Checkpoint* checkpoint_;
  std::vector<std::size_t> first_rows_;  // by shard
  std::vector<std::uint32_t> shard_of_;  // by row
  std::unique_ptr<RenamedKeys> renamed_;
  std::vector<std::uint32_t> numbers_;  // by row: its number in renamed_; empty where that is the row's own
  std::unique_ptr<RenameRun> run_;      // outcomes live as long as the run
  std::vector<bool> used_;
  bool drops_ = false;  // some rows
};

/// Two keys that became one.
struct Collision {
  std::size_t first = 0, second = 0;  // indices of the old keys
};
/// All collisions among `new_keys`: each later key that equals an earlier one, with the first such.
std::vector<Collision> find_collisions(std::span<const std::string_view> new_keys);

}  // namespace keyshift
