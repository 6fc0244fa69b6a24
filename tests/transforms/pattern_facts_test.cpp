#include "transforms/pattern_facts.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <string>

#include "transforms/pattern.h"

using keyshift::Match;
using keyshift::Pattern;
using keyshift::regex::facts_of;
using keyshift::regex::parse;
using keyshift::regex::PatternFacts;

namespace {

using Texts = std::vector<std::string>;

PatternFacts facts(std::string_view pattern) { return facts_of(parse(pattern)); }
bool tells_apart(std::string_view pattern) { return facts(pattern).tells_digits_apart; }

}  // namespace

TEST_CASE("a literal is required as a whole, of a sequence the part with the longest text") {
  CHECK(facts("layers").required_literals == Texts{"layers"});
  CHECK(facts("attention.query").required_literals == Texts{"attention"});
  CHECK(facts("^layers\\.(\\d+)\\.fc1").required_literals == Texts{"layers."});
  CHECK(facts("a(?=attention)b").required_literals == Texts{"attention"});
  CHECK(facts("(?<=model\\.)a").required_literals == Texts{"model."});
  CHECK(facts("a(?!attention)").required_literals == Texts{"a"});
  CHECK(facts("(?:ab){2,}c").required_literals == Texts{"ab"});
  CHECK(facts("é").required_literals == Texts{"\xC3\xA9"});
}

TEST_CASE("alternatives require one of the union, and nothing if one of them requires nothing") {
  CHECK(facts("(?P<g0>norm2(?!\\w))|(?P<g1>fc1)").required_literals == Texts{"fc1", "norm2"});
  CHECK(facts("a|b|a").required_literals == Texts{"a", "b"});
  CHECK(facts("a|\\d").required_literals == std::nullopt);
  CHECK(facts("a|").required_literals == std::nullopt);
  CHECK(facts("x*").required_literals == std::nullopt);
  CHECK(facts("(a)?(?(1)bb|c)").required_literals == Texts{"bb", "c"});
  CHECK(facts("(a)?(?(1)b)").required_literals == std::nullopt);
  CHECK(facts("").required_literals == std::nullopt);
}

TEST_CASE("while case is ignored only characters without case are required") {
  CHECK(facts("(?i:layers)").required_literals == std::nullopt);
  CHECK(facts("(?i:a.\\.0_b)").required_literals == Texts{".0_"});
  CHECK(facts("(?i:a)model").required_literals == Texts{"model"});
}

TEST_CASE("a pattern with a surrogate matches nothing, so it requires one of no texts") {
  CHECK(facts("a\\ud800").required_literals == Texts{});
  CHECK(facts("a\\ud800|b").required_literals == Texts{"b"});
}

TEST_CASE("a pattern is anchored if every way through it begins with ^ or \\A") {
  CHECK(facts("^a").anchored_at_start);
  CHECK(facts("\\Aa").anchored_at_start);
  CHECK(facts("(?P<g0>^a)|(?P<g1>^b)").anchored_at_start);
  CHECK(facts("(?=a)^a").anchored_at_start);
  CHECK(facts("(?:^a)+").anchored_at_start);
  CHECK(facts("(?m)\\Aa").anchored_at_start);
  CHECK_FALSE(facts("(?m)^a").anchored_at_start);
  CHECK_FALSE(facts("^a|b").anchored_at_start);
  CHECK_FALSE(facts("a^").anchored_at_start);
  CHECK_FALSE(facts("(?:^a)*").anchored_at_start);
  CHECK_FALSE(facts("(?<=^a)b").anchored_at_start);
  CHECK_FALSE(facts("(?!^a)b").anchored_at_start);
}

TEST_CASE("prefixes are the texts that a match can begin with") {
  CHECK(facts("^model\\.layers\\.\\d").prefixes == Texts{"model.layers."});
  CHECK(facts("(?P<g0>^a(b|c)d.)|(?P<g1>^e)").prefixes == Texts{"abd", "acd", "e"});
  CHECK(facts("a{2,}b").prefixes == Texts{"a"});
  CHECK(facts("(?i:.a)").prefixes == Texts{});
  CHECK(facts("\\.(?i:0a)").prefixes == Texts{".0"});
  CHECK(facts("a?b").prefixes == Texts{});
  CHECK(facts("a|.").prefixes == Texts{});
  CHECK(facts("\\b(?=x)norm").prefixes == Texts{"norm"});
}

TEST_CASE("patterns that take all digits alike do not tell digits apart") {
  CHECK_FALSE(tells_apart("layers\\.(\\d+)\\.mlp"));
  CHECK_FALSE(tells_apart("^layers.*.mlp$"));
  CHECK_FALSE(tells_apart("[0-9]+\\.[^.]+"));
  CHECK_FALSE(tells_apart("(?i:Layers)(?!\\w)"));
  CHECK_FALSE(tells_apart("(a)?(?(1)b|c)"));
  CHECK_FALSE(tells_apart("[^a-z]\\W\\S"));
}

TEST_CASE("a digit beside a letter lies in no number, so it tells nothing apart") {
  CHECK_FALSE(tells_apart("w1"));
  CHECK_FALSE(tells_apart("norm2\\."));
  CHECK_FALSE(tells_apart("k_conv1d.weight"));
  CHECK_FALSE(tells_apart("speech_encoder\\.(conv2d[123]|conv_out)\\."));
  CHECK_FALSE(tells_apart("query_1024\\."));
  CHECK_FALSE(tells_apart("10a"));
  CHECK_FALSE(tells_apart("a\\d1"));
}

TEST_CASE("a digit that may lie in a number tells digits apart") {
  CHECK(tells_apart("1"));
  CHECK(tells_apart("layers\\.0\\."));
  CHECK(tells_apart("mm_projector.proj.2"));
  CHECK(tells_apart("[0-4]"));
  CHECK(tells_apart("[^1]"));
  CHECK(tells_apart("a.1"));
  CHECK(tells_apart("a*1"));
  CHECK(tells_apart("a1*"));
  CHECK(tells_apart("a(1)"));
  CHECK(tells_apart("\\w1"));
  CHECK(tells_apart("a[.b]1"));
  CHECK(tells_apart("(?!0)\\d"));
  CHECK(tells_apart("(?<!0)a"));
}

TEST_CASE("a reference to a group compares texts, so it tells digits apart") {
  CHECK(tells_apart("(\\d)\\.\\1"));
  CHECK(tells_apart("(?P<n>a)(?P=n)"));
}

namespace {

// A pattern out of pieces of which many are blind to digits.
rc::Gen<std::string> pattern_text() {
  const auto piece = rc::gen::element<std::string>(
      "\\d+", "\\d", ".*", ".", "\\.", "w1", "norm2", "[0-9]", "\\w+", "a", "(?!\\w)", "\\b", "^", "$", "1a",
      "[12]b", "layers", "\\.\\d+\\.", "[^.]+", "\\D", "x?", "1", "[0-4]", "0", "(?:\\d|a)*", "(\\d+)",
      "(a|w1)", "(?<=\\d)", "(?=.1b)", "\\S+?");
  const auto sequence = rc::gen::map(rc::gen::container<Texts>(piece), [](const Texts& pieces) {
    std::string text;
    for (std::size_t i = 0; i < std::min<std::size_t>(pieces.size(), 5); ++i) text += pieces[i];
    return text;
  });
  return rc::gen::map(rc::gen::pair(sequence, rc::gen::pair(sequence, rc::gen::inRange(0, 3))),
                      [](const auto& parts) {
                        const auto& [first, rest] = parts;
                        return rest.second == 0 ? first + "|" + rest.first : first;
                      });
}

rc::Gen<std::string> key_text() {
  const auto part =
      rc::gen::element<std::string>("layers", "0", "17", "w1", "norm2", "a", "1a", "x", "203", "2b", "");
  return rc::gen::map(rc::gen::container<Texts>(part), [](const Texts& parts) {
    std::string text;
    for (std::size_t i = 0; i < std::min<std::size_t>(parts.size(), 7); ++i)
      text += (i == 0 ? "" : ".") + parts[i];
    return text;
  });
}

bool is_number(std::string_view part) {
  return !part.empty() && std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// The key with other digits in its purely numeric parts.
std::string with_other_numbers(const std::string& key, const std::string& digits) {
  std::string out;
  std::size_t used = 0;
  for (std::size_t begin = 0; begin <= key.size();) {
    const std::size_t end = std::min(key.find('.', begin), key.size());
    std::string part = key.substr(begin, end - begin);
    if (is_number(part)) {
      for (char& c : part) c = digits[used++ % digits.size()];
    }
    out += part;
    if (end < key.size()) out += '.';
    begin = end + 1;
  }
  return out;
}

std::string spans(const Pattern& pattern, const std::string& key) {
  Match match;
  if (!pattern.search(key, match)) return "no match";
  std::string out;
  for (std::size_t i = 0; i <= pattern.syntax().groups; ++i) {
    out += std::to_string(match.span(i).begin) + "-" + std::to_string(match.span(i).end) + " ";
  }
  return out;
}

}  // namespace

TEST_CASE("where digits are not told apart, keys that differ in numbers match at the same places") {
  CHECK(rc::check("same spans", [] {
    const std::string text = *pattern_text();
    const Pattern pattern(text);
    RC_PRE(!facts_of(pattern.syntax()).tells_digits_apart);
    for (int i = 0; i < 10; ++i) {
      const std::string key = *key_text();
      const std::string other = with_other_numbers(
          key, *rc::gen::nonEmpty(
                   rc::gen::container<std::string>(rc::gen::inRange('0', static_cast<char>('9' + 1)))));
      RC_ASSERT(spans(pattern, key) == spans(pattern, other));
    }
  }));
}

TEST_CASE("every key that matches holds a required text and begins as the facts say") {
  CHECK(rc::check("required and prefixes", [] {
    const Pattern pattern(*pattern_text());
    const PatternFacts known = facts_of(pattern.syntax());
    for (int i = 0; i < 10; ++i) {
      const std::string key = *key_text();
      Match match;
      if (!pattern.search(key, match)) continue;
      const auto in_key = [&](const std::string& text) { return key.find(text) != std::string::npos; };
      const auto at_match = [&](const std::string& text) {
        return std::string_view(key).substr(match.span().begin).starts_with(text);
      };
      if (known.required_literals) {
        RC_ASSERT(std::any_of(known.required_literals->begin(), known.required_literals->end(), in_key));
      }
      if (!known.prefixes.empty()) {
        RC_ASSERT(std::any_of(known.prefixes.begin(), known.prefixes.end(), at_match));
      }
      if (known.anchored_at_start) RC_ASSERT(match.span().begin == 0);
    }
  }));
}
