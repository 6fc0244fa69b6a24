// How many keys a second are renamed: whole first passes, checked before anything is timed.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/interrupt.h"
#include "transforms/renamed_keys.h"
#include "transforms/shape_kernel.h"
#include "transforms/transform_trie.h"

namespace keyshift {

/// Keys in one block of text, one behind the other, as headers have them.
class KeyBlock {
 public:
  /// Copies the keys.
  explicit KeyBlock(std::span<const std::string_view> keys);
  KeyBlock(const KeyBlock&) = delete;
  KeyBlock& operator=(const KeyBlock&) = delete;

  const std::vector<std::string_view>& keys() const noexcept { return keys_; }
  std::size_t bytes() const noexcept { return text_.size(); }

 private:
  std::string text_;
  std::vector<std::string_view> keys_;
};

/// The same keys in another order, the same one every time.
std::vector<std::string_view> shuffled(std::span<const std::string_view> keys);

/// Renames all keys with a new run, which has its shapes still to learn; every byte of the results is
/// written. Returns the number of shapes.
std::size_t first_pass(const TransformTrie& trie, const ShapeKernel& kernel,
                       std::span<const std::string_view> keys, RenamedKeys& renamed);

struct Throughput {
  std::size_t keys = 0, shapes = 0;
  double trie = 0, shuffled = 0, rule_by_rule = 0;  // keys a second, one core
};

/// The median of passes that take `least_seconds` in all, and five at least; of rule by rule one pass may do.
/// The answers of the trie are first held against rule by rule, key by key. Errors: rename_failed (also where
/// the two differ), pattern_limit, interrupted.
Throughput measure_throughput(const TransformTrie& trie, std::span<const std::string_view> keys,
                              double least_seconds, const Interrupt& interrupt);

}  // namespace keyshift
