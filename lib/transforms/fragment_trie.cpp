#include "transforms/fragment_trie.h"

#include <algorithm>

#include "base/utf8.h"
#include "transforms/required_fragments.h"

namespace keyshift {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

FragmentTrie::FragmentTrie(Entries entries) {
  std::sort(entries.begin(), entries.end());
  entries.erase(std::unique(entries.begin(), entries.end()), entries.end());
  nodes_.emplace_back();
  build(0, entries, 0, entries.size(), 0);
  roots_.fill(kNone);
  for (std::uint32_t i = 0; i < nodes_[0].child_count; ++i) {
    const std::uint32_t child = nodes_[0].children + i;
    roots_[static_cast<unsigned char>(labels_[nodes_[child].label])] = child;
  }
}

/// Fills `node`, which stands for the first `depth` bytes that entries [first, last) have in common.
void FragmentTrie::build(std::uint32_t node, const Entries& entries, std::size_t first, std::size_t last,
                         std::size_t depth) {
  nodes_[node].steps = static_cast<std::uint32_t>(steps_.size());
  for (; first < last && entries[first].first.size() == depth; ++first) {
    steps_.push_back(entries[first].second);
    ++nodes_[node].step_count;
  }
  std::vector<std::size_t> bounds;  // where another first byte begins
  for (std::size_t i = first; i < last; ++i) {
    if (i == first || entries[i].first[depth] != entries[i - 1].first[depth]) bounds.push_back(i);
  }
  const auto children = static_cast<std::uint32_t>(nodes_.size());
  nodes_[node].children = children;
  nodes_[node].child_count = static_cast<std::uint32_t>(bounds.size());
  nodes_.resize(nodes_.size() + bounds.size());
  bounds.push_back(last);
  for (std::size_t b = 0; b + 1 < bounds.size(); ++b) {
    const std::string& low = entries[bounds[b]].first;
    const std::string& high = entries[bounds[b + 1] - 1].first;
    std::size_t end = depth + 1;  // sorted: what the first and the last have in common, all have
    while (end < low.size() && end < high.size() && low[end] == high[end]) ++end;
    const auto child = static_cast<std::uint32_t>(children + b);
    nodes_[child].label = static_cast<std::uint32_t>(labels_.size());
    nodes_[child].label_size = static_cast<std::uint32_t>(end - depth);
    labels_.append(low, depth, end - depth);
    build(child, entries, bounds[b], bounds[b + 1], end);
  }
}

struct FragmentTrie::Walk {
  const FragmentTrie& trie;
  std::string_view text;
  const PositionSet& open;
  std::vector<std::uint32_t>& found;

  /// Bytes of the text that `expected` takes at `at`; 0 if it does not match there.
  std::size_t taken(char expected, std::size_t at) const {
    if (at >= text.size()) return 0;
    if (expected == kAnyCharacter) return std::max<std::size_t>(1, utf8::valid_length(text.substr(at)));
    if (text[at] == expected) return 1;
    return is_digit(expected) && is_open(at) ? 1 : 0;
  }

  bool is_open(std::size_t at) const { return at < PositionSet::kLimit && open.contains(at); }

  /// Goes down the edge to `node`, and on from there, if the text at `at` allows it.
  void enter(const Node& node, std::size_t at, std::size_t skip) const {
    for (std::size_t i = skip; i < node.label_size; ++i) {
      const std::size_t bytes = taken(trie.labels_[node.label + i], at);
      if (bytes == 0) return;
      at += bytes;
    }
    const auto first = trie.steps_.begin() + node.steps;
    found.insert(found.end(), first, first + node.step_count);
    for (std::uint32_t i = 0; i < node.child_count; ++i) enter(trie.nodes_[node.children + i], at, 0);
  }

  void from_root(char first, std::size_t at, std::size_t skip) const {
    const std::uint32_t child = trie.roots_[static_cast<unsigned char>(first)];
    if (child != kNone) enter(trie.nodes_[child], at, skip);
  }
};

void FragmentTrie::find(std::string_view text, const PositionSet& open,
                        std::vector<std::uint32_t>& steps) const {
  if (nodes_.empty()) return;
  const Walk walk{*this, text, open, steps};
  walk.from_root(kStartOfText, 0, 1);
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (walk.is_open(at)) {
      for (char digit = '0'; digit <= '9'; ++digit) walk.from_root(digit, at, 0);
    } else {
      walk.from_root(text[at], at, 0);
    }
  }
}

}  // namespace keyshift
