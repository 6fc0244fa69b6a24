// The keys of a checkpoint as a tree that people can read: one row for all subtrees that differ only in a
// number, layers.{0..60}.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "format/dtype.h"

namespace keyshift::tools {

/// What the tree shows of a tensor; borrows.
struct TreeTensor {
  std::string_view key;
  Dtype dtype = Dtype::U8;
  std::span<const std::uint64_t> shape;
  std::uint64_t size = 0;  // bytes
};

/// One line of the folded tree.
struct TreeRow {
  int depth = 0;
  std::string label;  // "layers.{0..60}"; as it stands in the keys, not yet fit for a terminal
  const TreeTensor* tensor =
      nullptr;              // one of the tensors meant, or none for a row that only has others below
  std::uint64_t count = 0;  // tensors meant, those below included
  std::uint64_t size = 0;   // their bytes
};

/// Rows from top to bottom: numbers by value, then names by their bytes. Subtrees are one row if they hang
/// under numbers of one place and agree in all names, dtypes and shapes below. Time grows with the text of
/// the keys. The rows borrow from `tensors`.
std::vector<TreeRow> fold_keys(std::span<const TreeTensor> tensors);

/// "3", "{0..60}", "{0..2,5}", "{0..62..2}"; cut after a dozen parts. `numbers` ascend, each once.
std::string number_set(std::span<const std::uint64_t> numbers);

}  // namespace keyshift::tools
