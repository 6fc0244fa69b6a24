// The flags in (?i) and (?i-s:…).
#include "transforms/python_regex_parser.h"

namespace keyshift::regex {

namespace {

constexpr std::u32string_view kFlags = U"iLmsxatu";

bool is_letter(const Token& token) {
  return token.kind == Token::Kind::character && is_identifier({&token.c, 1}) && token.c != U'_';
}

std::uint32_t bit(char32_t flag) {
  switch (flag) {
    case U'i':
      return kIgnoreCase;
    case U'm':
      return kMultiline;
    case U's':
      return kDotAll;
    case U'a':
      return kAscii;
    default:
      return 0;
  }
}

}  // namespace

Parser::FlagChange Parser::parse_flags(Token token) {
  FlagChange change;
  while (!token.is(U'-')) {
    if (token.c == U'L') tokens_.fail("bad inline flags: cannot use 'L' flag with a str pattern");
    change.add |= bit(token.c);
    change.verbose_on |= token.c == U'x';
    change.ascii |= token.c == U'a';
    change.unicode |= token.c == U'u';
    change.template_on |= token.c == U't';
    if (change.ascii && change.unicode) {
      tokens_.fail("bad inline flags: flags 'a', 'u' and 'L' are incompatible");
    }
    token = tokens_.take();
    if (token.at_end()) tokens_.fail("missing -, : or )");
    if (token.is_one_of(U")-:")) break;
    if (!token.is_one_of(kFlags)) {
      tokens_.fail(is_letter(token) ? "unknown flag" : "missing -, : or )", token.size());
    }
  }
  change.global = token.is(U')');
  if (change.global) return change;
  if (change.template_on) tokens_.fail("bad inline flags: cannot turn on global flag", 1);
  if (token.is(U'-')) parse_flags_off(change);
  if ((change.add & change.remove) != 0 || (change.verbose_on && change.verbose_off)) {
    tokens_.fail("bad inline flags: flag turned on and off", 1);
  }
  return change;
}

void Parser::parse_flags_off(FlagChange& change) {
  Token token = tokens_.take();
  if (token.at_end()) tokens_.fail("missing flag");
  if (!token.is_one_of(kFlags))
    tokens_.fail(is_letter(token) ? "unknown flag" : "missing flag", token.size());
  bool template_off = false;
  for (;;) {
    if (token.is_one_of(U"auL")) {
      tokens_.fail("bad inline flags: cannot turn off flags 'a', 'u' and 'L'");
    }
    change.remove |= bit(token.c);
    change.verbose_off |= token.c == U'x';
    template_off |= token.c == U't';
    token = tokens_.take();
    if (token.at_end()) tokens_.fail("missing :");
    if (token.is(U':')) break;
    if (!token.is_one_of(kFlags)) tokens_.fail(is_letter(token) ? "unknown flag" : "missing :", token.size());
  }
  if (template_off) tokens_.fail("bad inline flags: cannot turn off global flag", 1);
}

void Parser::apply_global(const FlagChange& change, Flags& flags) {
  flags.flags |= change.add;
  flags.verbose |= change.verbose_on;
  global_flags_ = flags.flags;
  global_unicode_ |= change.unicode;
  global_template_ |= change.template_on;
}

Parser::Flags Parser::scoped(Flags flags, const FlagChange& change) {
  if (change.unicode) flags.flags &= ~kAscii;
  flags.flags = (flags.flags | change.add) & ~change.remove;
  flags.verbose = (flags.verbose || change.verbose_on) && !change.verbose_off;
  return flags;
}

}  // namespace keyshift::regex
