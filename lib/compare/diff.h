// Two checkpoints compared by content: what is the same, what only has another name or place, what is not.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/interrupt.h"
#include "compare/content.h"
#include "format/checkpoint.h"
#include "transforms/renaming.h"

namespace keyshift {

struct DiffRequest {
  std::filesystem::path a, b;
  OpenOptions open;          // of A; the variant is B's, too
  TransformList transforms;  // A's names go through them first, one by one
  RenamingOptions renaming;
  unsigned jobs = 1;
};

/// How a tensor stands in B to what it was in A.
enum class DiffKind : std::uint8_t { same, renamed, moved, changed, missing, extra };
std::string_view name(DiffKind kind) noexcept;

struct DiffEntry {
  DiffKind kind = DiffKind::same;
  TensorPlace a, b;                     // none for what the side lacks
  std::string expected;                 // the name that A's tensor should have in B
  std::optional<ByteDifference> bytes;  // changed, where dtype and shape are the same
};

/// Something beside the tensors that differs.
struct DiffNote {
  std::string what;  // "metadata" or "index"
  std::string file;  // of A; of B where A has none
  std::string message;
};

/// Owns the checkpoints that the entries borrow from.
struct Diff {
  std::unique_ptr<Checkpoint> a, b;
  std::vector<DiffEntry> entries;  // A's tensors in order, then those that only B has
  std::vector<DiffNote> notes;
  std::uint64_t count(DiffKind kind) const noexcept;
  bool same() const noexcept { return count(DiffKind::same) == entries.size() && notes.empty(); }
};

/// Compares. `begin` is told how many bytes both have before the first is read, `advance` how many are done,
/// from several threads. Errors: those of Checkpoint::open and of renaming, io, interrupted. Differences are
/// no errors.
Diff diff(const DiffRequest& request, const std::function<void(std::uint64_t)>& begin,
          const std::function<void(std::uint64_t)>& advance, const Interrupt& interrupt);

/// What `__metadata__` and the indexes of two checkpoints say otherwise.
std::vector<DiffNote> diff_metadata(const Checkpoint& a, const Checkpoint& b);
std::vector<DiffNote> diff_indexes(const Checkpoint& a, const Checkpoint& b);

}  // namespace keyshift
