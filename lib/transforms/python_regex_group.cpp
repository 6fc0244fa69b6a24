// Everything that begins with a parenthesis.
#include <algorithm>
#include <limits>

#include "transforms/python_regex_parser.h"

namespace keyshift::regex {

namespace {

constexpr std::u32string_view kFlags = U"iLmsxatu";

// int() of Python: spaces around, a sign, digits of any script with single underscores between them.
std::optional<std::uint64_t> python_integer(std::u32string_view text) {
  const auto is_space = [](char32_t c) {
    return c == U' ' || (c >= 9 && c <= 13) || (c >= 0x1C && c <= 0x1F) || c == 0x85 || c == 0xA0;
  };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  if (!text.empty() && text.front() == U'+') text.remove_prefix(1);
  std::uint64_t value = 0;
  bool digit_before = false;
  for (const char32_t c : text) {
    const int digit = decimal_value(c);
    if (digit < 0 && !(c == U'_' && digit_before)) return std::nullopt;
    digit_before = digit >= 0;
    if (digit < 0) continue;
    value = std::min<std::uint64_t>(value * 10 + static_cast<unsigned>(digit), 1U << 31U);
  }
  if (!digit_before) return std::nullopt;
  return value;
}

}  // namespace

void Parser::parse_group(Flags& flags, unsigned depth, bool first, std::vector<Node>& items) {
  const std::size_t begin = tokens_.position() - 1;
  if (!tokens_.take_if(U'?')) {
    const std::string no_name;
    items.push_back(parse_body(begin, no_name, true, flags, depth));
    return;
  }
  const Token kind = tokens_.take();
  if (kind.at_end()) tokens_.fail("unexpected end of pattern");
  if (kind.is(U'P')) {
    std::string name;
    if (parse_python_extension(begin, flags, name, items)) return;
    items.push_back(parse_body(begin, name, true, flags, depth));
  } else if (kind.is(U':')) {
    items.push_back(parse_body(begin, {}, false, flags, depth));
  } else if (kind.is(U'>')) {
    items.push_back(parse_body(begin, {}, false, flags, depth));
    items.back().atomic = true;
  } else if (kind.is(U'#')) {
    skip_comment(begin);
  } else if (kind.is_one_of(U"=!<")) {
    items.push_back(parse_look(kind, begin, flags, depth));
  } else if (kind.is(U'(')) {
    items.push_back(parse_conditional(begin, flags, depth));
  } else if (kind.is(U'-') || kind.is_one_of(kFlags)) {
    const FlagChange change = parse_flags(kind);
    if (!change.global) {
      items.push_back(parse_body(begin, {}, false, scoped(flags, change), depth));
    } else if (!first || !items.empty()) {
      tokens_.fail_at(begin, "global flags not at the start of the expression");
    } else {
      apply_global(change, flags);
    }
  } else {
    tokens_.fail("unknown extension ?" + kind.text(), kind.size() + 1);
  }
}

// True: a reference (?P=name), which is added to `items`. False: (?P<name>, and the group's body follows.
bool Parser::parse_python_extension(std::size_t begin, const Flags& flags, std::string& name,
                                    std::vector<Node>& items) {
  if (tokens_.take_if(U'<')) {
    const std::u32string text = tokens_.take_until(U'>', "group name");
    check_name(text);
    name = to_utf8(text);
    return false;
  }
  if (!tokens_.take_if(U'=')) {
    const Token token = tokens_.take();
    if (token.at_end()) tokens_.fail("unexpected end of pattern");
    tokens_.fail("unknown extension ?P" + token.text(), token.size() + 2);
  }
  const std::u32string text = tokens_.take_until(U')', "group name");
  check_name(text);
  const auto group = named(to_utf8(text));
  if (!group) tokens_.fail("unknown group name " + repr(text), text.size() + 1);
  if (groups_[*group - 1] == GroupState::open) {
    tokens_.fail("cannot refer to an open group", text.size() + 1);
  }
  check_in_lookbehind(*group);
  items.push_back(node(NodeKind::backreference, begin, flags));
  items.back().group = *group;
  return true;
}

void Parser::skip_comment(std::size_t begin) {
  for (;;) {
    if (tokens_.next().at_end()) tokens_.fail_at(begin, "missing ), unterminated comment");
    if (tokens_.take().is(U')')) return;
  }
}

Node Parser::parse_look(Token kind, std::size_t begin, const Flags& flags, unsigned depth) {
  const bool behind = kind.is(U'<');
  const auto outer = lookbehind_groups_;
  if (behind) {
    kind = tokens_.take();
    if (kind.at_end()) tokens_.fail("unexpected end of pattern");
    if (!kind.is_one_of(U"=!")) {
      tokens_.fail("unknown extension ?<" + kind.text(), kind.size() + 2);
    }
    if (!outer) lookbehind_groups_ = static_cast<std::uint32_t>(groups_.size());
  }
  Node look = node(behind ? NodeKind::lookbehind : NodeKind::lookahead, begin, flags);
  look.negated = kind.is(U'!');
  look.children.push_back(parse_alternatives(flags, depth + 1));
  lookbehind_groups_ = outer;
  close(begin);
  return look;
}

Node Parser::parse_conditional(std::size_t begin, const Flags& flags, unsigned depth) {
  Node conditional = node(NodeKind::conditional, begin, flags);
  conditional.group = condition_group();
  check_in_lookbehind(conditional.group);
  if (depth >= kMaximumNesting) {
    tokens_.fail("groups are nested more than " + std::to_string(kMaximumNesting) + " deep");
  }
  Flags inside = flags;
  conditional.children.push_back(parse_sequence(inside, depth + 1, false));
  if (tokens_.take_if(U'|')) {
    conditional.children.push_back(parse_sequence(inside, depth + 1, false));
    if (tokens_.next().is(U'|')) tokens_.fail("conditional backref with more than two branches");
  }
  close(begin);
  return conditional;
}

std::uint32_t Parser::condition_group() {
  const std::u32string text = tokens_.take_until(U')', "group name");
  const std::size_t back = text.size() + 1;
  if (is_identifier(text)) {
    const auto group = named(to_utf8(text));
    if (!group) tokens_.fail("unknown group name " + repr(text), back);
    return *group;
  }
  const auto number = python_integer(text);
  if (!number) tokens_.fail("bad character in group name " + repr(text), back);
  if (*number == 0) tokens_.fail("bad group number", back);
  constexpr std::uint64_t kMaximumGroups = std::numeric_limits<std::int32_t>::max() / 2;
  if (*number >= kMaximumGroups) tokens_.fail("invalid group reference " + to_utf8(text), back);
  const auto group = static_cast<std::uint32_t>(*number);
  conditions_.try_emplace(group, tokens_.position() - back);
  return group;
}

Node Parser::parse_body(std::size_t begin, const std::string& name, bool capture, Flags flags,
                        unsigned depth) {
  Node group = node(NodeKind::group, begin, flags);
  if (capture) {
    group.group = open_group(name);
    group.group_name = name;
  }
  group.children.push_back(parse_alternatives(flags, depth + 1));
  close(begin);
  if (capture) groups_[group.group - 1] = GroupState::closed;
  return group;
}

void Parser::close(std::size_t begin) {
  if (!tokens_.take_if(U')')) tokens_.fail_at(begin, "missing ), unterminated subpattern");
}

std::uint32_t Parser::open_group(const std::string& name) {
  const auto index = static_cast<std::uint32_t>(groups_.size() + 1);
  if (!name.empty()) {
    if (const auto earlier = named(name)) {
      const std::size_t characters = static_cast<std::size_t>(std::count_if(
          name.begin(), name.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
      tokens_.fail("redefinition of group name '" + name + "' as group " + std::to_string(index) +
                       "; was group " + std::to_string(*earlier),
                   characters + 1);
    }
    names_.emplace_back(name, index);
  }
  groups_.push_back(GroupState::open);
  return index;
}

void Parser::check_name(const std::u32string& name) const {
  if (!is_identifier(name)) tokens_.fail("bad character in group name " + repr(name), name.size() + 1);
}

void Parser::check_in_lookbehind(std::uint32_t group) const {
  if (!lookbehind_groups_) return;
  if (group > groups_.size() || groups_[group - 1] == GroupState::open) {
    tokens_.fail("cannot refer to an open group");
  }
  if (group > *lookbehind_groups_) {
    tokens_.fail("cannot refer to group defined in the same lookbehind subpattern");
  }
}

std::optional<std::uint32_t> Parser::named(const std::string& name) const {
  for (const auto& [known, group] : names_) {
    if (known == name) return group;
  }
  return std::nullopt;
}

}  // namespace keyshift::regex
