// Widths of parts of a pattern, as Python counts them: a lookbehind must have one.
#include <algorithm>

#include "transforms/python_regex_parser.h"

namespace keyshift::regex {

namespace {

struct Width {
  std::uint64_t least = 0, most = 0;
};

class WidthCheck {
 public:
  explicit WidthCheck(std::uint32_t groups) : groups_(groups + 1) {}

  Width of(const Node& node) {
    const Width width = uncapped(node);
    return {std::min<std::uint64_t>(width.least, kUnbounded - 1),
            std::min<std::uint64_t>(width.most, kUnbounded)};
  }

 private:
  Width uncapped(const Node& node) {
    switch (node.kind) {
      case NodeKind::literal:
        return {node.text.size(), node.text.size()};
      case NodeKind::any:
      case NodeKind::set:
        return {1, 1};
      case NodeKind::sequence:
        return sum(node);
      case NodeKind::alternation:
        return either(node);
      case NodeKind::conditional: {
        const Width width = either(node);
        return {node.children.size() == 2 ? width.least : 0, width.most};
      }
      case NodeKind::repeat: {
        const Width width = of(node.children.front());
        return {width.least * node.minimum, width.most * node.maximum};
      }
      case NodeKind::group: {
        const Width width = of(node.children.front());
        if (node.group != 0) groups_[node.group] = width;
        return width;
      }
      case NodeKind::backreference:
        return groups_[node.group];
      case NodeKind::lookahead:
        of(node.children.front());
        return {};
      case NodeKind::lookbehind: {
        const Width width = of(node.children.front());
        if (width.least != width.most) {
          throw SyntaxError{node.offset, "look-behind requires fixed-width pattern"};
        }
        return {};
      }
      default:
        return {};
    }
  }

  Width sum(const Node& node) {
    Width total;
    for (const Node& child : node.children) {
      const Width width = of(child);
      total = {total.least + width.least, total.most + width.most};
    }
    return total;
  }

  Width either(const Node& node) {
    Width all{kUnbounded, 0};
    for (const Node& child : node.children) {
      const Width width = of(child);
      all = {std::min(all.least, width.least), std::max(all.most, width.most)};
    }
    return all;
  }

  std::vector<Width> groups_;
};

}  // namespace

void check_lookbehinds(const Syntax& syntax) { WidthCheck(syntax.groups).of(syntax.root); }

}  // namespace keyshift::regex
