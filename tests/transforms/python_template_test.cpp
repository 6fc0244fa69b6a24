#include "transforms/python_template.h"

#include <doctest/doctest.h>

#include "transforms/pattern.h"

using keyshift::Match;
using keyshift::Pattern;
using keyshift::PythonTemplate;

namespace {

// What `text` makes of the match of `pattern` in `subject`, or what is wrong with it.
std::string made(const std::string& text, const std::string& pattern = "(a)(?P<n>b)?",
                 const std::string& subject = "xab") {
  const Pattern compiled(pattern);
  Match match;
  REQUIRE(compiled.search(subject, match));
  try {
    std::string out;
    PythonTemplate(text, compiled.syntax()).append(out, match, subject);
    return out;
  } catch (const keyshift::regex::SyntaxError& error) {
    return error.message + " at " + std::to_string(error.offset);
  }
}

}  // namespace

TEST_CASE("T42: a template names groups by number and by name; one that took no part is empty") {
  CHECK(made(R"(<\1\2>)") == "<ab>");
  CHECK(made(R"(\g<1>0\g<n>\g<0>)") == "a0bab");
  CHECK(made(R"(<\2>)", "(a)(?P<n>b)?", "a") == "<>");
}

TEST_CASE("T42: escapes of a template are Python's") {
  CHECK(made(R"(\t\n\\\.)") == "\t\n\\\\.");
  CHECK(made(R"(\0)") == std::string(1, '\0'));
  CHECK(made(R"(\101\08)") == "A" + std::string(1, '\0') + "8");
  CHECK(made(R"(\351)") == "é");
}

TEST_CASE("T42: what Python refuses is refused in its words") {
  CHECK(made("ab\\") == "bad escape (end of pattern) at 2");
  CHECK(made("\\q") == "bad escape \\q at 0");
  CHECK(made("\\3") == "invalid group reference 3 at 0");
  CHECK(made("\\g") == "missing < at 0");
  CHECK(made("\\g<1") == "missing >, unterminated name at 0");
  CHECK(made("\\g<>") == "missing group name at 0");
  CHECK(made("\\g<m>") == "unknown group name \"m\" at 0");
  CHECK(made("\\477") == "octal escape value \\477 outside of range 0-0o377 at 0");
}

TEST_CASE("texts are made into patterns and templates that mean them") {
  const std::string text = "a.b*[\\1]\t(é) #-";
  CHECK(made(keyshift::exact_template(text)) == text);
  Match match;
  CHECK(Pattern(keyshift::exact_pattern(text)).search("x" + text, match));
  CHECK(match.span().begin == 1);
  CHECK_FALSE(Pattern(keyshift::exact_pattern("a.b")).search("axb", match));
}
