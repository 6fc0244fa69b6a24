#include "transforms/repeat_order.h"

#include <algorithm>

namespace keyshift::regex {

namespace {

// Whether `node`, if it takes nothing, does so only after all else was tried.
bool nothing_is_last_resort(const Node& node) {
  if (!may_be_empty(node)) return true;
  switch (node.kind) {
    case NodeKind::sequence:
      return std::all_of(node.children.begin(), node.children.end(), nothing_is_last_resort);
    case NodeKind::alternation:
      return std::none_of(node.children.begin(), node.children.end() - 1, may_be_empty) &&
             nothing_is_last_resort(node.children.back());
    case NodeKind::repeat:
      if (node.maximum == 0) return true;
      return node.repeat != RepeatKind::lazy && nothing_is_last_resort(node.children.front());
    case NodeKind::group:
      return node.atomic || nothing_is_last_resort(node.children.front());
    case NodeKind::conditional:
      return false;
    default:  // there is but one way through the others
      return true;
  }
}

}  // namespace

bool may_be_empty(const Node& node) {
  switch (node.kind) {
    case NodeKind::literal:
    case NodeKind::any:
    case NodeKind::set:
      return false;
    case NodeKind::sequence:
      return std::all_of(node.children.begin(), node.children.end(), may_be_empty);
    case NodeKind::alternation:
      return std::any_of(node.children.begin(), node.children.end(), may_be_empty);
    case NodeKind::conditional:
      return node.children.size() < 2 ||
             std::any_of(node.children.begin(), node.children.end(), may_be_empty);
    case NodeKind::repeat:
      return node.minimum == 0 || may_be_empty(node.children.front());
    case NodeKind::group:
      return may_be_empty(node.children.front());
    default:
      return true;
  }
}

bool repeats_alike(const Node& repeat) {
  const bool simple = repeat.maximum <= 1 || repeat.repeat == RepeatKind::possessive ||
                      repeat.minimum == repeat.maximum ||
                      (repeat.minimum == 0 && repeat.maximum == kUnbounded);
  return simple || nothing_is_last_resort(repeat.children.front());
}

}  // namespace keyshift::regex
