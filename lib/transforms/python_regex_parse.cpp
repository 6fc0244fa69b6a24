// Alternatives, sequences, repeats.
#include <utility>

#include "transforms/python_regex_parser.h"

namespace keyshift::regex {

namespace {

constexpr std::u32string_view kDigits = U"0123456789";
constexpr std::u32string_view kRepeats = U"*+?{";

bool is_position(const Node& node) {
  switch (node.kind) {
    case NodeKind::begin:
    case NodeKind::end:
    case NodeKind::absolute_end:
    case NodeKind::word_boundary:
    case NodeKind::not_word_boundary:
      return true;
    default:
      return false;
  }
}

}  // namespace

Syntax parse(std::string_view pattern) { return Parser(pattern).parse(); }

Syntax Parser::parse() {
  Syntax syntax;
  syntax.root = parse_alternatives({}, 0);
  if ((global_flags_ & kAscii) != 0 && global_unicode_)
    throw SyntaxError{0, "ASCII and UNICODE flags are incompatible"};
  if (!tokens_.next().at_end()) tokens_.fail("unbalanced parenthesis");
  for (const auto& [group, position] : conditions_) {
    if (group > groups_.size()) tokens_.fail_at(position, "invalid group reference " + std::to_string(group));
  }
  // Python's abandoned `t` flag forbids repeats.
  if (global_template_ && has_repeat_) throw SyntaxError{0, "internal: unsupported template operator"};
  syntax.flags = global_flags_;
  syntax.groups = static_cast<std::uint32_t>(groups_.size());
  syntax.names = names_;
  check_lookbehinds(syntax);
  return syntax;
}

Node Parser::node(NodeKind kind, std::size_t position, const Flags& flags) const {
  Node made;
  made.kind = kind;
  made.offset = tokens_.byte_offset(position);
  made.flags = flags.flags;
  return made;
}

Node Parser::parse_alternatives(Flags flags, unsigned depth) {
  const std::size_t begin = tokens_.position();
  if (depth > kMaximumNesting) {
    tokens_.fail("groups are nested more than " + std::to_string(kMaximumNesting) + " deep");
  }
  std::vector<Node> branches;
  do {
    // Global flags may stand only before everything else, and from there they hold for all branches.
    branches.push_back(parse_sequence(flags, depth, depth == 0 && branches.empty()));
  } while (tokens_.take_if(U'|'));
  if (branches.size() == 1) {
    return std::move(branches.front());
  }
  Node all = node(NodeKind::alternation, begin, flags);
  all.children = std::move(branches);
  return all;
}

Node Parser::parse_sequence(Flags& flags, unsigned depth, bool first) {
  const std::size_t begin = tokens_.position();
  std::vector<Node> items;
  while (!tokens_.next().at_end() && !tokens_.next().is_one_of(U"|)")) {
    const std::size_t here = tokens_.position();
    const Token token = tokens_.take();
    if (flags.verbose && skip_verbose(token)) continue;
    if (!token.is_one_of(kRepeats)) join_literals(items);  // no longer can the last one be repeated
    if (token.kind == Token::Kind::escape) {
      items.push_back(parse_escape(token, flags));
    } else if (token.c == U'[') {
      items.push_back(parse_set(flags));
    } else if (token.is_one_of(kRepeats)) {
      if (!parse_repeat(token, items)) {
        items.push_back(node(NodeKind::literal, here, flags));
        items.back().text.assign(1, U'{');
      }
    } else if (token.c == U'.') {
      items.push_back(node(NodeKind::any, here, flags));
    } else if (token.c == U'^') {
      items.push_back(node(NodeKind::begin, here, flags));
    } else if (token.c == U'$') {
      items.push_back(node(NodeKind::end, here, flags));
    } else if (token.c == U'(') {
      parse_group(flags, depth, first, items);
    } else {
      items.push_back(node(NodeKind::literal, here, flags));
      items.back().text.assign(1, token.c);
    }
  }
  Node sequence = finish_sequence(std::move(items), begin);
  if (sequence.kind == NodeKind::empty || sequence.kind == NodeKind::sequence) sequence.flags = flags.flags;
  return sequence;
}

bool Parser::skip_verbose(const Token& token) {
  if (token.is_one_of(U" \t\n\r\v\f")) return true;
  if (!token.is(U'#')) return false;
  for (;;) {
    const Token skipped = tokens_.take();
    if (skipped.at_end() || skipped.is(U'\n')) return true;
  }
}

// False: it is a brace that stands for itself.
bool Parser::parse_repeat(const Token& token, std::vector<Node>& items) {
  const std::size_t here = tokens_.position();
  std::uint32_t minimum = token.c == U'+' ? 1 : 0;
  std::uint32_t maximum = token.c == U'?' ? 1 : kUnbounded;
  if (token.c == U'{' && !parse_counts(minimum, maximum, here)) return false;
  const std::size_t place = here - token.size();
  if (items.empty() || is_position(items.back())) tokens_.fail_at(place, "nothing to repeat");
  if (items.back().kind == NodeKind::repeat) tokens_.fail_at(place, "multiple repeat");

  has_repeat_ = true;
  Node repeat;
  repeat.kind = NodeKind::repeat;
  repeat.offset = items.back().offset;
  repeat.flags = items.back().flags;
  repeat.minimum = minimum;
  repeat.maximum = maximum;
  if (tokens_.take_if(U'?')) {
    repeat.repeat = RepeatKind::lazy;
  } else if (tokens_.take_if(U'+')) {
    repeat.repeat = RepeatKind::possessive;
  }
  repeat.children.push_back(std::move(items.back()));
  items.back() = std::move(repeat);
  return true;
}

// {3} {3,} {,3} {3,5} {,}; leaves everything after the brace untaken if it is none of them.
bool Parser::parse_counts(std::uint32_t& minimum, std::uint32_t& maximum, std::size_t here) {
  if (tokens_.next().is(U'}')) return false;
  const std::u32string low = tokens_.take_while(std::u32string::npos, kDigits);
  const std::u32string high = tokens_.take_if(U',') ? tokens_.take_while(std::u32string::npos, kDigits) : low;
  if (!tokens_.take_if(U'}')) {
    tokens_.go_back(here);
    return false;
  }
  if (!low.empty()) minimum = repeat_count(low, here);
  if (!high.empty()) {
    maximum = repeat_count(high, here);
    if (maximum < minimum) tokens_.fail_at(here, "min repeat greater than max repeat");
  }
  return true;
}

std::uint32_t Parser::repeat_count(const std::u32string& digits, std::size_t here) const {
  std::uint64_t count = 0;
  for (const char32_t digit : digits) {
    count = count * 10 + (digit - U'0');
    if (count >= kUnbounded) tokens_.fail_at(here, "the repetition number is too large");
  }
  return static_cast<std::uint32_t>(count);
}

// Makes one literal of those that the items end with.
void Parser::join_literals(std::vector<Node>& items) {
  while (items.size() >= 2) {
    Node& first = items[items.size() - 2];
    const Node& second = items.back();
    const bool both = first.kind == NodeKind::literal && second.kind == NodeKind::literal;
    if (!both || first.flags != second.flags) return;
    first.text += second.text;
    items.pop_back();
  }
}

Node Parser::finish_sequence(std::vector<Node> items, std::size_t begin) const {
  join_literals(items);
  if (items.size() == 1) return std::move(items.front());
  Node sequence;
  sequence.kind = items.empty() ? NodeKind::empty : NodeKind::sequence;
  sequence.offset = tokens_.byte_offset(begin);
  sequence.children = std::move(items);
  return sequence;
}

}  // namespace keyshift::regex
