#include "transforms/python_regex.h"

#include <doctest/doctest.h>

#include <string>

using keyshift::regex::kUnbounded;
using keyshift::regex::Node;
using keyshift::regex::NodeKind;
using keyshift::regex::parse;
using keyshift::regex::RepeatKind;
using keyshift::regex::Syntax;
using keyshift::regex::SyntaxError;
using keyshift::regex::to_pcre2;

namespace {

// What is wrong with a pattern, as "offset: message".
std::string refusal(std::string_view pattern) {
  try {
    parse(pattern);
  } catch (const SyntaxError& error) {
    return std::to_string(error.offset) + ": " + error.message;
  }
  return "accepted";
}

std::string unsupported(std::string_view pattern) {
  try {
    to_pcre2(parse(pattern));
  } catch (const SyntaxError& error) {
    return std::to_string(error.offset) + ": " + error.message;
  }
  return "supported";
}

std::string pcre2(std::string_view pattern) { return to_pcre2(parse(pattern)); }

std::string repeated(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

}  // namespace

TEST_CASE("neighbouring characters are one literal, and a repeat takes the last of them") {
  const Node root = parse("abc*d").root;
  REQUIRE(root.kind == NodeKind::sequence);
  REQUIRE(root.children.size() == 3);
  CHECK(root.children[0].text == U"ab");
  CHECK(root.children[1].kind == NodeKind::repeat);
  CHECK(root.children[1].children.front().text == U"c");
  CHECK(root.children[1].minimum == 0);
  CHECK(root.children[1].maximum == kUnbounded);
  CHECK(root.children[2].text == U"d");
}

TEST_CASE("repeats are greedy, lazy or possessive, with every spelling of their counts") {
  const auto repeat = [](std::string_view pattern) { return parse(pattern).root; };
  CHECK(repeat("a+").minimum == 1);
  CHECK(repeat("a??").repeat == RepeatKind::lazy);
  CHECK(repeat("a++").repeat == RepeatKind::possessive);
  CHECK(repeat("a{,3}").minimum == 0);
  CHECK(repeat("a{,3}").maximum == 3);
  CHECK(repeat("a{2,}").maximum == kUnbounded);
  CHECK(repeat("a{,}").maximum == kUnbounded);
  CHECK(repeat("a{2}").maximum == 2);
}

TEST_CASE("a brace that is no repeat stands for itself") {
  for (const auto* text : {"a{}", "a{", "{", "a{1", "a{,", "a{x}", "a{1,2", "a*{}", "{}"}) {
    INFO(text);
    CHECK(refusal(text) == "accepted");
  }
  CHECK(parse("a{}").root.text == U"a{}");
  CHECK(parse("{,a}").root.text == U"{,a}");
}

TEST_CASE("escapes are what Python takes them for") {
  CHECK(parse("\\x41\\u0042\\U00000043\\104\\0\\n\\.\\-").root.text == std::u32string(U"ABCD\0\n.-", 8));
  CHECK(parse("\\N{LATIN SMALL LETTER A}\\N{em dash}").root.text == U"a\u2014");
  CHECK(parse("[\\b]").root.items.front().first == U'\b');
  CHECK(parse("\\08").root.text == std::u32string(U"\0"
                                                  U"8",
                                                  2));
  CHECK(parse("\\ud800").root.text == std::u32string(1, static_cast<char32_t>(0xD800)));
  CHECK(parse("(a)\\1").root.children[1].kind == NodeKind::backreference);
}

TEST_CASE("sets know no classes and no operations") {
  CHECK(parse("[[:alpha:]]").root.kind == NodeKind::sequence);  // a set and then a bracket
  CHECK(parse("[a&&b]").root.items.size() == 4);
  CHECK(parse("[]a]").root.items.size() == 2);
  CHECK(parse("[^]a]").root.negated);
  CHECK(parse("[a-]").root.items.back().first == U'-');
  CHECK(parse("[a-c\\d]").root.items.back().category == 'd');
}

TEST_CASE("groups are numbered and named, flags are scoped") {
  const Syntax syntax = parse("(?i)(?P<g0>a(?:b)(?-i:c))|(d)");
  CHECK(syntax.groups == 2);
  REQUIRE(syntax.names.size() == 1);
  CHECK(syntax.names.front().first == "g0");
  CHECK(syntax.flags == keyshift::regex::kIgnoreCase);
  const Node& first = syntax.root.children[0].children[0];
  CHECK(first.children[0].flags == keyshift::regex::kIgnoreCase);
  CHECK(first.children[2].children[0].flags == 0);
}

TEST_CASE("verbose patterns skip white space and comments, but not in sets") {
  CHECK(parse("(?x) a b # c\n d").root.text == U"abd");
  CHECK(parse("(?x:a b)c d").root.children[1].text == U"c d");
  CHECK(parse("(?x)[ ]").root.items.front().first == U' ');
  CHECK(parse("(?x)a\\ b").root.text == U"a b");
}

TEST_CASE("what Python refuses is refused at the same place in the same words") {
  const std::pair<const char*, const char*> cases[] = {
      {"a(", "1: missing ), unterminated subpattern"},
      {"a)", "1: unbalanced parenthesis"},
      {"*a", "0: nothing to repeat"},
      {"(*UTF8)a", "1: nothing to repeat"},
      {"^*", "1: nothing to repeat"},
      {"a|*", "2: nothing to repeat"},
      {"a**", "2: multiple repeat"},
      {"a{2}{3}", "4: multiple repeat"},
      {"a{3,2}", "2: min repeat greater than max repeat"},
      {"a{99999999999}", "2: the repetition number is too large"},
      {"a[", "1: unterminated character set"},
      {"[]", "0: unterminated character set"},
      {"[z-a]", "1: bad character range z-a"},
      {"[\\d-a]", "1: bad character range \\d-a"},
      {"a\\", "1: bad escape (end of pattern)"},
      {"\\Qa", "0: bad escape \\Q"},
      {"a\\p{L}", "1: bad escape \\p"},
      {"\\G", "0: bad escape \\G"},
      {"\\K", "0: bad escape \\K"},
      {"\\h", "0: bad escape \\h"},
      {"\\R", "0: bad escape \\R"},
      {"\\X", "0: bad escape \\X"},
      {"[\\8]", "1: bad escape \\8"},
      {"\\u12", "0: incomplete escape \\u12"},
      {"\\x4", "0: incomplete escape \\x4"},
      {"\\U00110000", "0: bad escape \\U00110000"},
      {"\\400", "0: octal escape value \\400 outside of range 0-0o377"},
      {"\\Na", "2: missing {"},
      {"\\N{}", "3: missing character name"},
      {"\\N{NO SUCH}", "0: undefined character name 'NO SUCH'"},
      {"\\1", "1: invalid group reference 1"},
      {"\\2(a)", "1: invalid group reference 2"},
      {"(a\\1)", "2: cannot refer to an open group"},
      {"(?P<n>a(?P=n))", "11: cannot refer to an open group"},
      {"(?P=zz)", "4: unknown group name 'zz'"},
      {"(?P<n>a)(?P<n>b)", "12: redefinition of group name 'n' as group 2; was group 1"},
      {"(?P<1>a)", "4: bad character in group name '1'"},
      {"(?P<>a)", "4: missing group name"},
      {"(?P<a", "4: missing >, unterminated name"},
      {"(?Px)", "1: unknown extension ?Px"},
      {"(?<n>a)", "1: unknown extension ?<n"},
      {"(?'n'a)", "1: unknown extension ?'"},
      {"(?R)", "1: unknown extension ?R"},
      {"(?|a)", "1: unknown extension ?|"},
      {"(?1)", "1: unknown extension ?1"},
      {"(?", "2: unexpected end of pattern"},
      {"(?#x", "0: missing ), unterminated comment"},
      {"(?(2)a)", "3: invalid group reference 2"},
      {"(?(0)a)", "3: bad group number"},
      {"(?(x)a)", "3: unknown group name 'x'"},
      {"(?(1.0)a)", "3: bad character in group name '1.0'"},
      {"(a)(?(1)b|c|d)", "11: conditional backref with more than two branches"},
      {"a(?i)b", "1: global flags not at the start of the expression"},
      {"((?i)b)", "1: global flags not at the start of the expression"},
      {"(?L)", "3: bad inline flags: cannot use 'L' flag with a str pattern"},
      {"(?au)", "4: bad inline flags: flags 'a', 'u' and 'L' are incompatible"},
      {"(?-a:b)", "4: bad inline flags: cannot turn off flags 'a', 'u' and 'L'"},
      {"(?i-i:a)", "5: bad inline flags: flag turned on and off"},
      {"(?iq)", "3: unknown flag"},
      {"(?i", "3: missing -, : or )"},
      {"(?-)", "3: missing flag"},
      {"(?-i", "4: missing :"},
      {"(?a)(?u)", "0: ASCII and UNICODE flags are incompatible"},
      {"(?<=a*)", "0: look-behind requires fixed-width pattern"},
      {"b(?<!a|bc)", "1: look-behind requires fixed-width pattern"},
      {"(?<=(a)\\1)", "9: cannot refer to group defined in the same lookbehind subpattern"},
      {"\xC3\xA9(", "2: missing ), unterminated subpattern"},  // places count bytes here
      {"\xFF", "0: the pattern is not UTF-8"},
  };
  for (const auto& [pattern, wanted] : cases) {
    INFO(pattern);
    CHECK(refusal(pattern) == wanted);
  }
}

TEST_CASE("what looks odd but is Python's is accepted") {
  for (const auto* pattern : {"",
                              "|",
                              "()",
                              "(|a)",
                              "(?:)*",
                              "(?:a*)*",
                              "(?=a)*",
                              "(?(1)b)(a)",
                              "(a)?(?(1)b|c)",
                              "(?i)(?x) a",
                              "(?P<\xC3\xA9>a)(?P=\xC3\xA9)",
                              "(?<=a{2}b|cd[e])",
                              "(a)(?<=\\1)",
                              "(?<=(?:ab|cd))",
                              "a]",
                              "a}",
                              "\\_",
                              "\\%",
                              "(?#c)a",
                              "a(?#c)*",
                              "(?(+1)a)(b)",
                              "(?( 1 )a)(b)",
                              "x{0}",
                              "(?>a+)b",
                              "(?u:\\w)",
                              "(?s-i:.)",
                              "[a||b]",
                              "(?:(?i:a)b)+?"}) {
    INFO(pattern);
    CHECK(refusal(pattern) == "accepted");
  }
}

TEST_CASE("groups may be nested 500 deep, and no depth overflows the stack") {
  CHECK(refusal(repeated("(?:", 500) + "a" + repeated(")", 500)) == "accepted");
  CHECK(refusal(repeated("(", 100'000)) == "501: groups are nested more than 500 deep");
  CHECK(refusal(repeated("(?=", 100'000)) == "1503: groups are nested more than 500 deep");
  CHECK(refusal("(a)" + repeated("(?(1)", 100'000)) == "2508: groups are nested more than 500 deep");
}

TEST_CASE("classes are spelled out as Python means them") {
  CHECK(pcre2("\\w") == "[0-9A-Z_a-z\\p{L}\\p{N}]");
  CHECK(pcre2("\\W") == "[^0-9A-Z_a-z\\p{L}\\p{N}]");
  CHECK(pcre2("(?a)\\w\\d") == "[0-9A-Z_a-z][0-9]");
  CHECK(pcre2("[\\d.]") == "[0-9\\p{Nd}\\x{2e}]");
  CHECK(pcre2("[\\D.]") == "[\\P{Nd}\\x{2e}]");
  CHECK(pcre2(".") == ".");
  CHECK(pcre2("(?s).") == "\\p{Any}");
  CHECK(pcre2("[\\ud800]") == "(?!)");
  CHECK(pcre2("[^\\ud800]") == "\\p{Any}");
  CHECK(pcre2("[\\ud700-\\ue010]") == "[\\x{d700}-\\x{e010}]");
}

TEST_CASE("positions are written so that newlines mean what they mean in Python") {
  CHECK(pcre2("^$") == "\\A\\Z");
  CHECK(pcre2("\\A\\Z") == "\\A\\z");
  CHECK(pcre2("(?m)^$\\A") == "(?<![^\\n])(?![^\\n])\\A");
}

TEST_CASE("another case of a character is what Python takes for one") {
  CHECK(pcre2("(?i)k") == "(?i:k)");
  CHECK(pcre2("(?i)i") == "(?i:[iIi\\x{130}\\x{131}])");
  CHECK(pcre2("(?i)[a-z]") == "(?i:[a-zIi\\x{130}\\x{131}])");
  CHECK(pcre2("(?i)\\.1") == "\\x{2e}1");
  CHECK(pcre2("(?ai)k") == "[kK]");
  CHECK(pcre2("(?ai)\xC3\xA9") == "\\x{e9}");
}

TEST_CASE("possessive repeats never go back into one of their repetitions") {
  CHECK(pcre2("a++") == "a++");
  CHECK(pcre2("(?:ab|a)++") == "(?>(?>(?:ab|a))+)");
  CHECK(pcre2("(?:|a){2,}") == "(?:|a){2}(?:|a)*");
  CHECK(pcre2("(?:a){0}b") == "b");
  CHECK(pcre2("(a){0}b") == "(?:(?!)(a)|)b");
}

TEST_CASE("what PCRE2 would read otherwise is refused by name") {
  CHECK(unsupported("(?i:(a)\\1)") == "7: a reference to a group while ignoring case");
  CHECK(unsupported("(|a){2,3}") ==
        "0: a repeat of a part that may match nothing before it tries to match something");
  CHECK(unsupported("(|a)+") ==
        "0: a repeat of a part that may match nothing before it tries to match something");
  CHECK(unsupported("(a|(b))++") == "0: a possessive repeat of alternatives with groups");
  CHECK(unsupported("x(a(?(1)b))") == "3: a condition on the group that it stands in");
  CHECK(unsupported("(?a:\\W)") == "4: a set under a flag of its own at the pattern's beginning");
  CHECK(unsupported("a{65536}") == "0: a part is repeated more than 65535 times");
  CHECK(unsupported("(|a)*") == "supported");
  CHECK(unsupported("(|a)?") == "supported");
  CHECK(unsupported("(a*){2,3}") == "supported");
  CHECK(unsupported("(a)++") == "supported");
  CHECK(unsupported("(?a:\\w)") == "supported");
  CHECK(unsupported("a{65535}") == "supported");
}
