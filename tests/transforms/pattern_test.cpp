#include "transforms/pattern.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "support/error_text.h"

using keyshift::Error;
using keyshift::ErrorKind;
using keyshift::Match;
using keyshift::Pattern;
using keyshift::test::error_text;

namespace {

// "begin-end" of the match and of every group, "-" for a group that took no part; "" for no match.
std::string found(std::string_view pattern, std::string_view subject) {
  const Pattern compiled(pattern);
  Match match;
  if (!compiled.search(subject, match)) return "";
  std::string out;
  for (std::size_t i = 0; i <= compiled.syntax().groups; ++i) {
    const auto span = match.span(i);
    if (i > 0) out += " ";
    out += span.matched() ? std::to_string(span.begin) + "-" + std::to_string(span.end) : "-";
  }
  return out;
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

}  // namespace

TEST_CASE("the leftmost match is found, the first alternative that fits wins") {
  CHECK(found("norm1", "a.norm1.norm1") == "2-7");
  CHECK(found("a|ab", "xab") == "1-2");
  CHECK(found("(?P<g0>ab(?!\\w))|(?P<g1>a)", "abc ab") == "0-1 - 0-1");
  CHECK(found("x*", "abc") == "0-0");
  CHECK(found("b", "a").empty());
}

TEST_CASE("plain texts are found with their anchors, word ends and groups") {
  CHECK(found("q_proj", "attn.q_proj.weight") == "5-11");
  CHECK(found("(?P<g0>layers\\.(?!\\w))", "layers.0.layers.") == "9-16 9-16");
  CHECK(found("(?P<g0>proj(?!\\w))", "projx.proj_.proj\xC3\xA9.proj\xD9\xA3.proj-") == "26-30 26-30");
  CHECK(found("((^model(?!\\w)))", "model.a") == "0-5 0-5 0-5");
  CHECK(found("^model", "a.model").empty());
  CHECK(found("(?m)^b", "a\nb") == "2-3");
  CHECK(found("aab", "aaab") == "1-4");
}

TEST_CASE("a text of a megabyte is a pattern too") {
  const std::string text(1'000'000, 'x');
  CHECK(found(text, "a" + text) == "1-1000001");
}

TEST_CASE("newlines are Python's: only \\n ends a line, $ also stands before the last one") {
  CHECK(found("a.b", "a\nb").empty());
  CHECK(found("a.b", "a\rb") == "0-3");
  CHECK(found("a.b",
              "a\xE2\x80\xA8"
              "b") == "0-5");
  CHECK(found("(?s)a.b", "a\nb") == "0-3");
  CHECK(found("a$", "a\n") == "0-1");
  CHECK(found("a$", "a\n\n").empty());
  CHECK(found("a\\Z", "a\n").empty());
  CHECK(found("(?m)^$", "a\n") == "2-2");
}

TEST_CASE("classes are Unicode's as Python knows them, ASCII's under the flag a") {
  CHECK(found("\\w+", "-\xC3\xA9\xE6\xA8\xA9\xC2\xB2_") == "1-9");  // é 権 ² _
  CHECK(found("\\d", "\xC2\xB2\xD9\xA3") == "2-4");                 // ² is no decimal, ٣ is
  CHECK(found("\\s", "\x1c") == "0-1");
  CHECK(found("(?a)\\s", "\x1c").empty());
  CHECK(found("(?a)\\w", "\xC3\xA9").empty());
  CHECK(found("\\w", "\xCC\x81").empty());  // a combining accent is no letter
}

TEST_CASE("word boundaries follow the same letters, and an empty subject has none") {
  CHECK(found("\\bb",
              "\xC3\xA9"
              "b b") == "4-5");
  CHECK(found("(?a)\\bb",
              "\xC3\xA9"
              "b") == "2-3");
  CHECK(found("\\B", "").empty());
  CHECK(found("\\B", "-") == "0-0");
  CHECK(found("\\Ba", "ba") == "1-2");
}

TEST_CASE("ignoring case goes by Python's pairs") {
  CHECK(found("(?i:model)", "MoDeL") == "0-5");
  CHECK(found("(?i:I)", "\xC4\xB1") == "0-2");      // dotless i
  CHECK(found("(?i:k)", "\xE2\x84\xAA") == "0-3");  // Kelvin
  CHECK(found("(?i:\xC3\x9F)", "SS").empty());
  CHECK(found("(?i:\xEF\xAC\x85)", "\xEF\xAC\x86") == "0-3");  // the two ligatures st
  CHECK(found("(?ai:k)", "\xE2\x84\xAA").empty());
  CHECK(found("(?i:a)b", "AB").empty());
}

TEST_CASE("groups in repeats keep their last match, groups that took no part have none") {
  CHECK(found("(?:(a)|b)*", "ab") == "0-2 0-1");
  CHECK(found("(a|b)*", "ab") == "0-2 1-2");
  CHECK(found("(a)?(?(1)b|c)", "c") == "0-1 -");
  CHECK(found("(a)?(?(1)b|c)", "ab") == "0-2 0-1");
  CHECK(found("(?:(a)|b)\\1", "bb").empty());
  CHECK(found("(?!(a)b)a", "ac") == "0-1 -");
  CHECK(found("(a*)*", "aa") == "0-2 2-2");
}

TEST_CASE("where PCRE2's optimisations err, the pattern is searched without them") {
  CHECK(found("(?=x(a|b){1,3})xa*b", "xb") == "0-2 1-2");
  CHECK(found("(?:|0bias0)a*?(?:a)|mlpb(){0}", "0bias00") == "3-4 -");
  CHECK(found("._*(?:|\\n0){1}+.a", "._a11.ab") == "0-3");
  CHECK(found("(weight)*+\\B(._?a)", "1weight_w1bax0\n") == "10-12 - 10-12");
}

TEST_CASE("names of groups lead to their numbers") {
  const Pattern pattern("(?P<g0>a)|(b)(?P<last>c)");
  CHECK(pattern.group("g0") == 1);
  CHECK(pattern.group("last") == 3);
  CHECK(pattern.group("b") == std::nullopt);
  CHECK(pattern.text() == "(?P<g0>a)|(b)(?P<last>c)");
}

TEST_CASE("a Match is used again, and forgets what it held") {
  Match match;
  CHECK(Pattern("(a)(b)").search("ab", match));
  CHECK(match.span(2).size() == 1);
  CHECK(Pattern("a.").search("ab", match));
  CHECK(match.span(0).size() == 2);
  CHECK_FALSE(match.span(1).matched());
  CHECK_FALSE(Pattern("c.").search("ab", match));
  CHECK_FALSE(match.span(0).matched());
}

TEST_CASE("a pattern that Python refuses is shown with a caret under the place") {
  CHECK(error_text([] { Pattern("layers\\.(\\d+"); }) ==
        "Python's re refuses this pattern: missing ), unterminated subpattern\n"
        "  layers\\.(\\d+\n"
        "          ^");
  CHECK(error_text([] { Pattern("\xC3\xA9\n*+*"); }) ==
        "Python's re refuses this pattern: multiple repeat\n"
        "  \xC3\xA9\\x0a*+*\n"
        "         ^");
  CHECK(error_text([] { Pattern("[\\d-\x01]"); }) ==
        "Python's re refuses this pattern: bad character range \\d-\\x01\n"
        "  [\\d-\\x01]\n"
        "   ^");
}

TEST_CASE("of a long pattern only the surroundings of the place are shown") {
  CHECK(error_text([] { Pattern(std::string(100, 'a') + "**" + std::string(100, 'b')); }) ==
        "Python's re refuses this pattern: multiple repeat\n"
        "  \xE2\x80\xA6" +
            std::string(59, 'a') + "**" + std::string(59, 'b') + "\xE2\x80\xA6\n" + std::string(63, ' ') +
            "^");
}

TEST_CASE("a pattern that PCRE2 would read otherwise is refused by name") {
  CHECK(error_text([] { Pattern("a(|b)+"); }) ==
        "this pattern is not supported: a repeat of a part that may match nothing before it tries to match "
        "something\n"
        "  a(|b)+\n"
        "   ^");
  CHECK(error_text([] { Pattern("((a{0,100}){0,100}){0,100}$"); }) ==
        "this pattern is not supported: regular expression is too large\n"
        "  ((a{0,100}){0,100}){0,100}$\n"
        "  ^");
  CHECK(error_text([] { Pattern("(?<=a(?:)*)b"); }) ==
        "this pattern is not supported: lookbehind assertion is not fixed length\n"
        "  (?<=a(?:)*)b\n"
        "  ^");
}

TEST_CASE("patterns that explode are errors, never hangs") {
  const std::pair<std::string, std::string> bombs[] = {
      {"(a|aa)+$", repeated("a", 45) + "!"},
      {"(a+)+$", repeated("a", 40'000) + "!"},
      {"(.*)*=(.*)*", repeated("x", 40)},
      {"(x+x+)+y", repeated("x", 50)},
      {".*.*.*[yz]", repeated("x", 20'000)},
      {"(a*)*\\1b", repeated("a", 40)},
      {"(?:(?=x*[yz])x|x)*q", repeated("x", 20'000)},
  };
  for (const auto& [text, subject] : bombs) {
    INFO(text);
    const Pattern pattern(text);
    Match match;
    const auto begin = std::chrono::steady_clock::now();
    bool limited = false;
    try {
      pattern.search(subject, match);
    } catch (const Error& error) {
      limited = error.kind() == ErrorKind::pattern_limit;
    }
    CHECK(limited);
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(10));
  }
  CHECK(error_text([] {
          Match match;
          Pattern("(a|aa)+$").search(repeated("a", 45) + "!", match);
        }) ==
        "gave up searching \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\" for the pattern \"(a|aa)+$\": "
        "match limit exceeded");
}

TEST_CASE("searches that are expensive but end are given up when together they have taken too long") {
  const Pattern pattern("(a|aa)+$");
  const std::string subject =
      repeated("a", 24) + "!";  // some 100,000 steps and more, far below one search's limit
  Match match;
  int searched = 0;
  const std::string text = error_text([&] {
    for (; searched < 100'000; ++searched) pattern.search(subject, match);
  });
  CHECK(searched > 10);
  CHECK(
      text ==
      "gave up searching \"aaaaaaaaaaaaaaaaaaaaaaaa!\" for the pattern \"(a|aa)+$\": its searches have taken "
      "too many steps together, write it so that parts cannot match the same text in many ways");
  REQUIRE_FALSE(pattern.search("b", match));  // what costs little is still found out
}

TEST_CASE("one pattern may be searched from many threads at once") {
  const Pattern pattern("layers\\.(\\d+)\\.(mlp|attn)");
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      Match match;
      for (int i = 0; i < 1000; ++i) {
        const std::string key = "model.layers." + std::to_string(i) + ".attn";
        if (!pattern.search(key, match) || match.span(1).size() != std::to_string(i).size()) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("a condition on the group that the whole pattern is takes its second way, as in Python") {
  const Pattern pattern("(?P<g0>(a)?(?(1)b|c))|(?P<g1>x(?(3)b|d))");
  Match match;
  REQUIRE(pattern.search("abc", match));
  CHECK(match.span().begin == 2);
  REQUIRE(pattern.search("ac", match));
  CHECK(match.span().begin == 0);
  REQUIRE(pattern.search("xd", match));
  CHECK(match.span().size() == 2);
  CHECK_FALSE(pattern.search("ab", match));
}
