#include "transforms/unsupported_regex.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "transforms/repeat_order.h"

namespace keyshift::regex {

namespace {

constexpr std::uint32_t kLargestCount = 65535;  // of PCRE2

bool is_choice(const Node& node) {
  return node.kind == NodeKind::alternation || node.kind == NodeKind::repeat ||
         node.kind == NodeKind::conditional;
}

// Whether a capturing group lies in one of several ways through `node`.
bool captures_in_choice(const Node& node) {
  if (is_choice(node)) return captures(node);
  return std::any_of(node.children.begin(), node.children.end(), captures_in_choice);
}

// Python's search first looks for a character out of the set that a pattern begins with, and reads that set's
// \w and the like by the flags of the whole pattern, not by those of a group such as (?a:\W): it may miss
// matches.
void refuse_misread_beginning(const Node& node, std::uint32_t flags) {
  if (node.kind == NodeKind::set && (node.flags & kAscii) != (flags & kAscii)) {
    const auto only_narrower = [](const SetItem& item) {
      return std::string_view("DWS").find(item.category) == std::string_view::npos;
    };
    const bool misses_nothing = (flags & kAscii) == 0 && !node.negated &&
                                std::all_of(node.items.begin(), node.items.end(), only_narrower);
    if (!misses_nothing)
      throw SyntaxError{node.offset, "a set under a flag of its own at the pattern's beginning"};
  }
  if (node.kind == NodeKind::sequence || node.kind == NodeKind::group) {
    refuse_misread_beginning(node.children.front(), flags);
  } else if (node.kind == NodeKind::alternation) {
    for (const Node& branch : node.children) refuse_misread_beginning(branch, flags);
  }
}

class Check {
 public:
  // A group that the whole pattern ends with is closed once, when all has matched: no earlier attempt can
  // have matched it.
  void visit_whole(const Node& node) {
    const bool is_plain = node.kind == NodeKind::alternation ||
                          (node.kind == NodeKind::sequence && node.children.size() == 1) ||
                          (node.kind == NodeKind::group && node.group != 0 && !node.atomic);
    if (!is_plain) return visit(node);
    for (const Node& child : node.children) node.kind == NodeKind::group ? visit(child) : visit_whole(child);
  }

  void visit(const Node& node) {
    if (node.kind == NodeKind::repeat) visit_repeat(node);
    // PCRE2 and Python differ in which characters are the same when case is ignored, and text that was
    // matched cannot be spelled out as a set.
    if (node.kind == NodeKind::backreference && (node.flags & kIgnoreCase) != 0) {
      throw SyntaxError{node.offset, "a reference to a group while ignoring case"};
    }
    // Python may take the group for matched because an earlier attempt matched it.
    if (node.kind == NodeKind::conditional &&
        std::find(open_.begin(), open_.end(), node.group) != open_.end()) {
      throw SyntaxError{node.offset, "a condition on the group that it stands in"};
    }
    const bool opens = node.kind == NodeKind::group && node.group != 0;
    if (opens) open_.push_back(node.group);
    for (const Node& child : node.children) visit(child);
    if (opens) open_.pop_back();
  }

 private:
  static void visit_repeat(const Node& node) {
    const Node& item = node.children.front();
    if (node.minimum > kLargestCount || (node.maximum != kUnbounded && node.maximum > kLargestCount)) {
      throw SyntaxError{node.offset,
                        "a part is repeated more than " + std::to_string(kLargestCount) + " times"};
    }
    if (!repeats_alike(node) && (node.maximum != kUnbounded || captures(item))) {
      throw SyntaxError{node.offset,
                        "a repeat of a part that may match nothing before it tries to match something"};
    }
    // Python keeps what groups matched in ways that failed.
    if (node.repeat == RepeatKind::possessive && node.maximum > 1 && captures_in_choice(item)) {
      throw SyntaxError{node.offset, "a possessive repeat of alternatives with groups"};
    }
  }

  std::vector<std::uint32_t> open_;
};

}  // namespace

bool captures(const Node& node) {
  return (node.kind == NodeKind::group && node.group != 0) ||
         std::any_of(node.children.begin(), node.children.end(), captures);
}

void refuse_unsupported(const Syntax& syntax) {
  refuse_misread_beginning(syntax.root, syntax.flags);
  Check().visit_whole(syntax.root);
}

}  // namespace keyshift::regex
