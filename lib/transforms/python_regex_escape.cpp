// Backslashes and sets.
#include <algorithm>

#include "transforms/python_regex_parser.h"

namespace keyshift::regex {

namespace {

constexpr std::u32string_view kDigits = U"0123456789";
constexpr std::u32string_view kOctal = U"01234567";
constexpr std::u32string_view kHexadecimal = U"0123456789abcdefABCDEF";

bool is_ascii_letter(char32_t c) { return (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z'); }
bool is_in(std::u32string_view set, char32_t c) { return set.find(c) != std::u32string_view::npos; }

// \a \b \f \n \r \t \v \\ ; \b only inside a set.
std::optional<char32_t> control_character(char32_t letter) {
  constexpr std::u32string_view kLetters = U"abfnrtv\\";
  constexpr std::u32string_view kMeanings = U"\a\b\f\n\r\t\v\\";
  const std::size_t at = kLetters.find(letter);
  if (at == std::u32string_view::npos) return std::nullopt;
  return kMeanings[at];
}

std::uint32_t number(std::u32string_view digits, std::uint32_t base) {
  std::uint32_t value = 0;
  for (const char32_t c : digits) {
    const std::uint32_t digit = c <= U'9' ? c - U'0' : (c | 0x20U) - U'a' + 10;
    value = value * base + digit;
  }
  return value;
}

std::u32string with_backslash(const Token& token) { return {U'\\', token.c}; }

}  // namespace

Node Parser::parse_escape(const Token& token, const Flags& flags) {
  const std::size_t here = tokens_.position() - 2;
  constexpr std::u32string_view kPositions = U"AZbB";
  constexpr NodeKind kPositionKinds[] = {NodeKind::begin, NodeKind::absolute_end, NodeKind::word_boundary,
                                         NodeKind::not_word_boundary};
  if (const std::size_t at = kPositions.find(token.c); at != std::u32string_view::npos) {
    Node position = node(kPositionKinds[at], here, flags);
    if (token.c == U'A') position.flags &= ~kMultiline;  // \A is no ^
    return position;
  }
  if (is_in(U"dDwWsS", token.c)) {
    Node set = node(NodeKind::set, here, flags);
    set.items.push_back({0, 0, static_cast<char>(token.c)});
    return set;
  }
  if (is_in(U"123456789", token.c)) return parse_numbered(token, flags);
  Node literal = node(NodeKind::literal, here, flags);
  if (const auto control = control_character(token.c)) {
    literal.text.assign(1, *control);
  } else if (const auto codepoint = parse_codepoint_escape(token)) {
    literal.text.assign(1, *codepoint);
  } else if (token.c == U'0') {
    literal.text.assign(1, number(U"0" + tokens_.take_while(2, kOctal), 8));
  } else if (is_ascii_letter(token.c)) {
    bad_escape(with_backslash(token));
  } else {
    literal.text.assign(1, token.c);
  }
  return literal;
}

// \x41 \u0041 \U00000041 \N{NAME}
std::optional<char32_t> Parser::parse_codepoint_escape(const Token& token) {
  switch (token.c) {
    case U'x':
      return parse_hexadecimal(token, 2);
    case U'u':
      return parse_hexadecimal(token, 4);
    case U'U':
      return parse_hexadecimal(token, 8);
    case U'N':
      return parse_character_name();
    default:
      return std::nullopt;
  }
}

char32_t Parser::parse_hexadecimal(const Token& token, std::size_t digits) {
  const std::u32string text = tokens_.take_while(digits, kHexadecimal);
  const std::u32string escape = with_backslash(token) + text;
  if (text.size() != digits) tokens_.fail("incomplete escape " + to_utf8(escape), escape.size());
  const std::uint32_t value = number(text, 16);
  if (value > 0x10FFFF) bad_escape(escape);
  return value;
}

char32_t Parser::parse_character_name() {
  if (!tokens_.take_if(U'{')) tokens_.fail("missing {");
  const std::u32string name = tokens_.take_until(U'}', "character name");
  const auto character = character_named(to_utf8(name));
  if (!character) tokens_.fail("undefined character name " + repr(name), name.size() + 4);
  return *character;
}

char32_t Parser::parse_octal(std::u32string digits) const {
  const std::uint32_t value = number(digits, 8);
  if (value > 0377) {
    tokens_.fail("octal escape value \\" + to_utf8(digits) + " outside of range 0-0o377", digits.size() + 1);
  }
  return value;
}

// Three octal digits are a character, anything shorter refers to a group.
Node Parser::parse_numbered(const Token& token, const Flags& flags) {
  const std::size_t here = tokens_.position() - 2;
  std::u32string digits(1, token.c);
  if (tokens_.next().is_one_of(kDigits)) {
    digits.push_back(tokens_.take().c);
    if (is_in(kOctal, digits[0]) && is_in(kOctal, digits[1]) && tokens_.next().is_one_of(kOctal)) {
      digits.push_back(tokens_.take().c);
      Node literal = node(NodeKind::literal, here, flags);
      literal.text.assign(1, parse_octal(digits));
      return literal;
    }
  }
  const std::uint32_t group = number(digits, 10);
  if (group > groups_.size()) {
    tokens_.fail("invalid group reference " + std::to_string(group), digits.size());
  }
  if (groups_[group - 1] == GroupState::open) {
    tokens_.fail("cannot refer to an open group", digits.size() + 1);
  }
  check_in_lookbehind(group);
  Node reference = node(NodeKind::backreference, here, flags);
  reference.group = group;
  return reference;
}

SetItem Parser::parse_set_escape(const Token& token) {
  const auto character = [](char32_t c) { return SetItem{c, c, 0}; };
  if (const auto control = control_character(token.c)) return character(*control);
  if (is_in(U"dDwWsS", token.c)) return {0, 0, static_cast<char>(token.c)};
  if (const auto codepoint = parse_codepoint_escape(token)) return character(*codepoint);
  if (is_in(kOctal, token.c)) {
    return character(parse_octal(std::u32string(1, token.c) + tokens_.take_while(2, kOctal)));
  }
  if (is_in(kDigits, token.c) || is_ascii_letter(token.c)) bad_escape(with_backslash(token));
  return character(token.c);
}

// After the opening bracket. [:x:], && and the like mean nothing here: they are characters.
Node Parser::parse_set(const Flags& flags) {
  const std::size_t here = tokens_.position() - 1;
  Node set = node(NodeKind::set, here, flags);
  set.negated = tokens_.take_if(U'^');
  const auto take_item = [&](const Token& token) {
    if (token.at_end()) tokens_.fail_at(here, "unterminated character set");
    return token.kind == Token::Kind::escape ? parse_set_escape(token) : SetItem{token.c, token.c, 0};
  };
  for (;;) {
    const Token token = tokens_.take();
    if (token.is(U']') && !set.items.empty()) break;
    SetItem item = take_item(token);
    if (tokens_.take_if(U'-')) {
      const Token last = tokens_.take();
      if (last.is(U']')) {  // a dash before the end is a dash
        set.items.push_back(item);
        set.items.push_back({U'-', U'-', 0});
        break;
      }
      const SetItem end = take_item(last);
      if (item.category != 0 || end.category != 0 || end.first < item.first) {
        tokens_.fail("bad character range " + token.text() + "-" + last.text(),
                     token.size() + 1 + last.size());
      }
      item.last = end.first;
    }
    set.items.push_back(item);
  }
  return set;
}

void Parser::bad_escape(std::u32string_view escape) const {
  tokens_.fail("bad escape " + to_utf8(escape), escape.size());
}

}  // namespace keyshift::regex
