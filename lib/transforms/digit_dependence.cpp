#include "transforms/digit_dependence.h"

#include <algorithm>

#include "base/utf8.h"

namespace keyshift {
namespace {

using regex::Node;
using regex::NodeKind;

enum class Answer : std::uint8_t { no, yes, some_digits };

bool is_ascii(char32_t c) { return c < 0x80; }
bool is_digit(char32_t c) { return c >= U'0' && c <= U'9'; }
bool is_letter(char32_t c) { return (c | 0x20U) >= U'a' && (c | 0x20U) <= U'z'; }

/// Does a category hold for an ASCII character? `known` is cleared where Unicode makes it hard to say.
bool in_category(char category, char32_t c, bool& known) {
  const bool word = is_digit(c) || is_letter(c) || c == U'_';
  switch (category) {
    case 'd':
      return is_digit(c);
    case 'D':
      return !is_digit(c);
    case 'w':
      return word;
    case 'W':
      return !word;
    default:
      // Python counts some control characters as space, and not the same ones everywhere.
      if (c < 0x20 || c == 0x7F) known = false;
      return (category == 's') == (c == U' ');
  }
}

bool in_items(const Node& set, char32_t c, bool& known) {
  bool found = false;
  for (const auto& item : set.items) {
    if (item.category != 0) {
      found |= in_category(item.category, c, known);
    } else {
      found |= item.first <= c && c <= item.last;
    }
  }
  return found;
}

/// Could the set match this character? Too many yes are harmless.
bool set_could_match(const Node& set, char32_t c) {
  const bool folds = (set.flags & regex::kIgnoreCase) != 0;
  if (!is_ascii(c)) {
    bool plain = !folds;
    for (const auto& item : set.items) plain &= item.category == 0;
    bool known = true;
    return !plain || in_items(set, c, known) != set.negated;
  }
  if (folds && is_letter(c)) return true;
  bool known = true;
  const bool found = in_items(set, c, known);
  return !known || found != set.negated;
}

bool literal_could_match(const Node& literal, char32_t expected, char32_t c) {
  if ((literal.flags & regex::kIgnoreCase) == 0) return expected == c;
  if (!is_ascii(expected) || !is_ascii(c)) return !is_digit(c) && !is_digit(expected);
  return expected == c || (is_letter(c) && is_letter(expected) && (expected | 0x20U) == (c | 0x20U));
}

/// The answer for an open digit.
Answer set_on_digits(const Node& set) {
  int yes = 0;
  for (char32_t digit = U'0'; digit <= U'9'; ++digit) {
    bool known = true;
    yes += in_items(set, digit, known) != set.negated ? 1 : 0;
  }
  return yes == 0 ? Answer::no : yes == 10 ? Answer::yes : Answer::some_digits;
}

class Follower {
 public:
  Follower(std::string_view subject, const PositionSet& open) : subject_(subject), open_(open) {}

  DigitDependence follow(const Node& root) {
    DigitDependence result;
    result.can_match = !ends(root, PositionSet::range(0, subject_.size() + 1), 0).empty();
    if (gave_up_) return {true, open_};
    result.depends = depends_;
    return result;
  }

 private:
  // What a search may cost before it is called too large. Real patterns need some hundred steps.
  static constexpr std::size_t kMaxSteps = 50'000;
  static constexpr int kMaxDepth = 200;

  /// Every place where a match of `node` that begins in `starts` could end.
  PositionSet ends(const Node& node, const PositionSet& starts, int depth) {
    if (starts.empty()) return {};
    if (gave_up_ || depth > kMaxDepth || ++steps_ > kMaxSteps) {
      gave_up_ = true;
      return {};
    }
    const bool multiline = (node.flags & regex::kMultiline) != 0;
    switch (node.kind) {
      case NodeKind::empty:
      case NodeKind::word_boundary:  // all digits are word characters
      case NodeKind::not_word_boundary:
        return starts;
      case NodeKind::literal:
        return literal_ends(node, starts);
      case NodeKind::any:
      case NodeKind::set:
        return character_ends(node, starts);
      case NodeKind::begin:
        return multiline ? starts : starts & PositionSet::range(0, 1);
      case NodeKind::end:
        return multiline ? starts : starts & at_end(true);
      case NodeKind::absolute_end:
        return starts & at_end(false);
      case NodeKind::sequence:
        return sequence_ends(node, starts, depth);
      case NodeKind::alternation:
      case NodeKind::conditional:
        return union_ends(node, starts, depth);
      case NodeKind::repeat:
        return repeat_ends(node, starts, depth);
      case NodeKind::group:
        return sequence_ends(node, starts, depth);
      case NodeKind::lookahead:
        return lookaround_ends(node, starts, starts, depth);
      case NodeKind::lookbehind:
        return lookaround_ends(node, starts, PositionSet::range(0, subject_.size() + 1), depth);
      case NodeKind::backreference:
        return backreference_ends(starts);
    }
    gave_up_ = true;  // not reached: every kind is named above
    return {};
  }

  PositionSet at_end(bool before_newline) const {
    const std::size_t n = subject_.size();
    PositionSet set = PositionSet::range(n, n + 1);
    if (before_newline && n > 0 && subject_[n - 1] == '\n') set.insert(n - 1);
    return set;
  }

  /// Tests one character at every start, and steps over it where the test could hold.
  template <class OnDigits, class OnCharacter>
  PositionSet step(const PositionSet& starts, OnDigits&& on_digits, OnCharacter&& on_character) {
    PositionSet result;
    starts.for_each([&](std::size_t at) {
      if (at >= subject_.size()) return;
      if (open_.contains(at)) {
        const Answer answer = on_digits();
        if (answer == Answer::some_digits) depends_.insert(at);
        if (answer != Answer::no) result.insert(at + 1);
        return;
      }
      const std::size_t length = utf8::valid_length(subject_.substr(at));
      if (length == 0) return;  // inside a character: no search starts there
      if (on_character(utf8::decode(subject_.substr(at)))) result.insert(at + length);
    });
    steps_ += starts.size();
    return result;
  }

  PositionSet literal_ends(const Node& node, PositionSet at) {
    for (const char32_t expected : node.text) {
      const Answer digits = is_digit(expected) ? Answer::some_digits : Answer::no;
      at = step(
          at, [&] { return digits; }, [&](char32_t c) { return literal_could_match(node, expected, c); });
    }
    return at;
  }

  PositionSet character_ends(const Node& node, const PositionSet& starts) {
    if (node.kind == NodeKind::any) {
      const bool newline_too = (node.flags & regex::kDotAll) != 0;
      return step(
          starts, [] { return Answer::yes; }, [&](char32_t c) { return newline_too || c != U'\n'; });
    }
    const Answer digits = set_on_digits(node);
    return step(
        starts, [&] { return digits; }, [&](char32_t c) { return set_could_match(node, c); });
  }

  PositionSet sequence_ends(const Node& node, PositionSet at, int depth) {
    for (const Node& child : node.children) at = ends(child, at, depth + 1);
    return at;
  }

  PositionSet union_ends(const Node& node, const PositionSet& starts, int depth) {
    PositionSet result;
    for (const Node& child : node.children) result |= ends(child, starts, depth + 1);
    // A conditional without a second branch may match nothing.
    if (node.kind == NodeKind::conditional && node.children.size() < 2) result |= starts;
    return result;
  }

  PositionSet repeat_ends(const Node& node, const PositionSet& starts, int depth) {
    PositionSet result = node.minimum == 0 ? starts : PositionSet{};
    PositionSet at = starts;
    for (std::uint32_t round = 1; round <= node.maximum; ++round) {
      const PositionSet next = sequence_ends(node, at, depth);
      const bool stands_still = next == at;
      at = next;
      if (at.empty() || gave_up_) break;
      if (round >= node.minimum || stands_still) {
        const bool nothing_new = (at - result).empty();
        result |= at;
        if (nothing_new || stands_still) break;
      }
    }
    return result;
  }

  /// Follows what is looked at, for its tests; which starts pass is not narrowed down.
  PositionSet lookaround_ends(const Node& node, const PositionSet& starts, const PositionSet& from,
                              int depth) {
    const bool found = !sequence_ends(node, from, depth).empty();
    return found || node.negated ? starts : PositionSet{};
  }

  /// Compares texts, so it depends on every open digit that a group could hold.
  PositionSet backreference_ends(const PositionSet& starts) {
    depends_ |= open_;
    return PositionSet::range(starts.first(), subject_.size() + 1);
  }

  std::string_view subject_;
  const PositionSet& open_;
  PositionSet depends_;
  std::size_t steps_ = 0;
  bool gave_up_ = false;
};

bool node_treats_digits_alike(const Node& node, int depth) {
  if (depth > 200) return false;
  switch (node.kind) {
    case NodeKind::literal:
      if (std::any_of(node.text.begin(), node.text.end(), is_digit)) return false;
      break;
    case NodeKind::set:
      if (set_on_digits(node) == Answer::some_digits) return false;
      break;
    case NodeKind::backreference:
      return false;
    default:
      break;
  }
  return std::all_of(node.children.begin(), node.children.end(),
                     [&](const Node& child) { return node_treats_digits_alike(child, depth + 1); });
}

}  // namespace

DigitDependence digit_dependence(const regex::Syntax& syntax, std::string_view subject,
                                 const PositionSet& open) {
  return Follower(subject, open).follow(syntax.root);
}

bool treats_digits_alike(const regex::Syntax& syntax) { return node_treats_digits_alike(syntax.root, 0); }

}  // namespace keyshift
