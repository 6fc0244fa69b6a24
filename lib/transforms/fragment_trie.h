// A trie of text fragments: which of thousands of transforms could match a key at all, in one walk over it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "transforms/position_set.h"

namespace keyshift {

class FragmentTrie {
 public:
  FragmentTrie() = default;
  /// Fragments as required_fragments() gives them, each with the number of the step that requires it.
  explicit FragmentTrie(std::vector<std::pair<std::string, std::uint32_t>> fragments);

  /// Appends the steps of every fragment that `text` contains, where a digit at an `open` position may be any
  /// digit. A step may come more than once. `open` positions lie within the text.
  void find(std::string_view text, const PositionSet& open, std::vector<std::uint32_t>& steps) const;

 private:
  struct Node {
    std::uint32_t label = 0;  // where the text of the edge to here begins in labels_
    std::uint32_t label_size = 0;
    std::uint32_t children = 0;  // the first of them in nodes_, side by side, by their first byte
    std::uint32_t child_count = 0;
    std::uint32_t steps = 0;  // of the fragments that end here, in steps_
    std::uint32_t step_count = 0;
  };
  using Entries = std::vector<std::pair<std::string, std::uint32_t>>;
  static constexpr std::uint32_t kNone = 0xFFFFFFFFU;

  void build(std::uint32_t node, const Entries& entries, std::size_t first, std::size_t last,
             std::size_t depth);
  struct Walk;

  std::vector<Node> nodes_;
  std::string labels_;
  std::vector<std::uint32_t> steps_;
  std::array<std::uint32_t, 256> roots_{};  // child of the root by its first byte
};

}  // namespace keyshift
