#include "transforms/required_fragments.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"

namespace keyshift {
namespace {

using regex::Node;
using regex::NodeKind;

/// How many bytes of a fragment are text.
std::size_t weight(const std::string& fragment) {
  return static_cast<std::size_t>(std::count_if(
      fragment.begin(), fragment.end(), [](char c) { return c != kAnyCharacter && c != kStartOfText; }));
}

std::size_t weight(const FragmentSet& set) {
  std::size_t least = kLongestFragment;
  for (const std::string& fragment : set) least = std::min(least, weight(fragment));
  return least;
}

/// Reads a pattern from left to right and collects runs of characters that must stand side by side.
class Collector {
 public:
  void visit(const Node& node, int depth) {
    if (depth > kMaxDepth) return flush();
    switch (node.kind) {
      case NodeKind::literal:
        return literal(node);
      case NodeKind::any:
      case NodeKind::set:
        return character();
      case NodeKind::begin:
        if ((node.flags & regex::kMultiline) == 0) start();
        return;
      case NodeKind::sequence:
      case NodeKind::group:
        for (const Node& child : node.children) visit(child, depth + 1);
        return;
      case NodeKind::repeat:
        return repeat(node, depth);
      case NodeKind::alternation:
        return alternation(node, depth);
      case NodeKind::backreference:
      case NodeKind::conditional:
        return flush();
      default:
        return;  // the others take no room: what stands before and after them is side by side
    }
  }

  std::vector<FragmentSet> result() {
    flush();
    return std::move(sets_);
  }

 private:
  static constexpr int kMaxDepth = 100;
  static constexpr std::size_t kMaxBranches = 64;  // of alternations inside a pattern

  void literal(const Node& node) {
    for (const char32_t c : node.text) {
      const bool folds = (node.flags & regex::kIgnoreCase) != 0 && !(c >= U'0' && c <= U'9') && c != U'.';
      if (folds) {
        character();
      } else {
        std::string text;
        utf8::append(text, c);
        add(text);
      }
    }
  }

  void character() { add(std::string(1, kAnyCharacter)); }

  void start() {
    flush();
    run_.assign(1, kStartOfText);
  }

  void add(const std::string& text) {
    if (run_.size() + text.size() > kLongestFragment) flush();
    run_ += text;
  }

  void repeat(const Node& node, int depth) {
    if (node.minimum == 0) return flush();
    const std::uint32_t certain = std::min<std::uint32_t>(node.minimum, 4);
    for (std::uint32_t i = 0; i < certain; ++i) {
      for (const Node& child : node.children) visit(child, depth + 1);
    }
    if (certain != node.maximum) flush();
  }

  /// One fragment of each branch is there, whichever branch matches.
  void alternation(const Node& node, int depth) {
    flush();
    FragmentSet all;
    for (const Node& branch : node.children) {
      Collector inner;
      inner.visit(branch, depth + 1);
      const std::vector<FragmentSet> sets = inner.result();
      const auto best = std::max_element(sets.begin(), sets.end(),
                                         [](const auto& a, const auto& b) { return weight(a) < weight(b); });
      if (best == sets.end()) return;
      all.insert(all.end(), best->begin(), best->end());
      if (all.size() > kMaxBranches) return;
    }
    if (!all.empty()) sets_.push_back(std::move(all));
  }

  void flush() {
    std::string fragment = std::exchange(run_, {});
    while (!fragment.empty() && fragment.back() == kAnyCharacter) fragment.pop_back();
    const std::size_t text = fragment.find_first_not_of(kAnyCharacter);
    if (text == std::string::npos || weight(fragment) == 0) return;
    sets_.push_back({fragment.substr(text)});
  }

  std::string run_;
  std::vector<FragmentSet> sets_;
};

}  // namespace

std::vector<FragmentSet> required_fragments(const regex::Syntax& syntax) {
  Collector collector;
  collector.visit(syntax.root, 0);
  return collector.result();
}

}  // namespace keyshift
