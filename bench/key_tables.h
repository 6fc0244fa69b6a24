// Key tables and lists of transforms to measure with, made here: no checkpoint is needed.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "transforms/transform.h"

namespace keyshift::bench {

/// A key table in one block of text, as a header has it.
class KeyTable {
 public:
  explicit KeyTable(const std::vector<std::string>& keys);
  KeyTable(const KeyTable&) = delete;
  KeyTable& operator=(const KeyTable&) = delete;

  const std::vector<std::string_view>& keys() const { return keys_; }
  std::size_t bytes() const { return text_.size(); }

 private:
  std::string text_;
  std::vector<std::string_view> keys_;
};

/// 61 layers, 58 of them with 256 experts: 45,000 keys, as DeepSeek-V3 has.
std::vector<std::string> mixture_of_experts_keys();
/// 126 layers of nine tensors, as Llama-3-405B has, `copies` times under names of their own.
std::vector<std::string> dense_keys(std::size_t copies);
/// One key a line.
std::vector<std::string> read_keys(const std::string& path);
/// The same keys in an order that is random and always the same.
std::vector<std::string> shuffled(std::vector<std::string> keys);

/// `count` transforms, written as people write them: two match, the others are about parts that these models
/// do not have.
TransformList transforms(std::size_t count);
/// As many that name the number of a layer, so that keys that differ only in it have different results.
TransformList transforms_with_numbers(std::size_t count);

}  // namespace keyshift::bench
