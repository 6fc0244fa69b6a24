#include "transforms/pcre2_trust.h"

#include <algorithm>

#include "transforms/pcre2_characters.h"

namespace keyshift::regex {

namespace {

bool is_plain_node(const Node& node) {
  switch (node.kind) {
    case NodeKind::literal:
    case NodeKind::any:
    case NodeKind::set:
    case NodeKind::begin:
    case NodeKind::end:
    case NodeKind::absolute_end:
      return true;
    case NodeKind::sequence:
    case NodeKind::alternation:
      break;
    case NodeKind::group:
      if (node.atomic) return false;
      break;
    case NodeKind::lookahead:
    case NodeKind::lookbehind:
      if (!node.negated) return false;
      break;
    case NodeKind::repeat:
      if (node.repeat != RepeatKind::greedy || node.minimum > 1 || node.maximum == 0) return false;
      return is_one_character(node.children.front());
    default:
      return false;
  }
  return std::all_of(node.children.begin(), node.children.end(), is_plain_node);
}

}  // namespace

bool is_plain(const Syntax& syntax) { return is_plain_node(syntax.root); }

}  // namespace keyshift::regex
