#include "base/json.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "base/json_writer.h"
#include "base/utf8.h"
#include "support/error_text.h"

using namespace keyshift;
using json::Document;
using json::Kind;
using json::Value;
using keyshift::test::error_text;

namespace {

// What becomes of a text that nobody reads a value of.
std::string verdict(std::string_view text) {
  return error_text([&] { Document(text, 0, {.file = "f", .offset = 8}).read([](Value&) {}); });
}

// The same text parsed in place, with every byte behind it being `behind`.
std::string verdict_in_place(std::string_view text, char behind) {
  const std::string padded = std::string(text) + std::string(64, behind);
  return error_text([&] {
    Document(std::string_view(padded).substr(0, text.size()), 64, {.file = "f", .offset = 8})
        .read([](Value&) {});
  });
}

std::string nested(std::size_t depth, std::string_view open, std::string_view close) {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i) text += open;
  text += open == "{\"a\":" ? "1" : "";
  for (std::size_t i = 0; i < depth; ++i) text += close;
  return text;
}

}  // namespace

TEST_CASE("what serde_json takes is taken, also where nobody looks") {
  for (const char* text :
       {"{}", "[]", " \t\r\n{}\n", "null", "true", " false ", "0", "-1.5e3", "\"\"",
        R"("\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00")", "[1,[2,{\"a\":[]}],{}]", "{\"a\":1,\"a\":2}",
        "{\"\":\"\x7f\"}", "[18446744073709551616]", "{\"a\" : [ ] , \"b\" : { } }", "\"\\u0000\""}) {
    CHECK_MESSAGE(verdict(text) == "no error", text);
  }
}

TEST_CASE("what serde_json refuses is refused with its place, also where nobody looks") {
  struct Case {
    const char *text, *error;
  };
  for (const Case& c : {
           Case{"", "f: byte 8: is not JSON: it holds no value"},
           Case{" \n ", "f: byte 11: is not JSON: it holds no value"},
           Case{"\xEF\xBB\xBF{}", "f: byte 8: is not JSON: a value was expected"},
           Case{"tru", "f: byte 8: is not JSON: true or false was expected"},
           Case{"[truex]", "f: byte 9: is not JSON: true or false was expected"},
           Case{"[nul]", "f: byte 9: is not JSON: null was expected"},
           Case{"[01]", "f: byte 9: is not JSON: \"01\" is no number"},
           Case{"[1e400]", "f: byte 9: is not JSON: the number \"1e400\" is out of range"},
           Case{"{\"a\":-}", "f: byte 13: is not JSON: \"-\" is no number"},
           Case{"[+1]", "f: byte 9: is not JSON: a value was expected"},
           Case{"[NaN]", "f: byte 9: is not JSON: a value was expected"},
           Case{"['a']", "f: byte 9: is not JSON: a value was expected"},
           Case{"[1,]", "f: byte 11: is not JSON: a value was expected"},
           Case{"[,1]", "f: byte 9: is not JSON: a value was expected"},
           Case{"[1 2]", "f: byte 11: is not JSON: a comma or ] was expected"},
           Case{"[1}", "f: byte 11: is not JSON: it ends before everything that was opened is closed"},
           Case{"{\"a\":1,}", "f: byte 15: is not JSON: a name in double quotes was expected"},
           Case{"{a:1}", "f: byte 9: is not JSON: a name in double quotes was expected"},
           Case{"{\"a\" 1}", "f: byte 13: is not JSON: a colon, a comma or } was expected"},
           Case{"{\"a\":\"b\":1}", "f: byte 16: is not JSON: a colon, a comma or } was expected"},
           Case{"{\"a\":1 \"b\":2}", "f: byte 15: is not JSON: a colon, a comma or } was expected"},
           Case{"{\"a\":}", "f: byte 13: is not JSON: a value was expected"},
           Case{"{\"a\":[}", "f: byte 14: is not JSON: a value was expected"},
           Case{"{\"a\":{}", "f: byte 15: is not JSON: it ends inside an object"},
           Case{"{\"a\":[1}", "f: byte 15: is not JSON: a comma or ] was expected"},
           Case{"{\"a\":1", "f: byte 14: is not JSON: it ends before everything that was opened is closed"},
           Case{"{} {}", "f: byte 11: is not JSON: something follows the value"},
           Case{"{}x", "f: byte 10: is not JSON: something follows the value"},
           Case{"{}}", "f: byte 10: is not JSON: something follows the value"},
           Case{"1 2", "f: byte 10: is not JSON: something follows the value"},
           Case{"\"a\" \"b\"", "f: byte 12: is not JSON: something follows the value"},
           Case{"\"a", "f: byte 8: is not JSON: a string begins here and never ends"},
           Case{"[\"a\\\"]", "f: byte 9: is not JSON: a string begins here and never ends"},
           Case{"[\"a\nb\"]",
                "f: byte 11: is not JSON: the control character 0x0a stands in a string as it is"},
           Case{"[\\\"a\"]", "f: byte 9: is not JSON: a backslash outside of a string"},
           Case{R"(["\x"])",
                "f: byte 9: is not JSON: the string that begins here holds an escape that means nothing"},
           Case{R"(["\u12"])",
                "f: byte 9: is not JSON: the string that begins here holds an escape that means nothing"},
           Case{R"(["\ud800"])",
                "f: byte 9: is not JSON: the string that begins here holds an escape that means nothing"},
           Case{R"(["\udc00\ud800"])",
                "f: byte 9: is not JSON: the string that begins here holds an escape that means nothing"},
           Case{R"({"\ud800":1})",
                "f: byte 9: is not JSON: the string that begins here holds an escape that means nothing"},
           Case{"[\"\xff\"]", "f: byte 10: is not UTF-8 here; the file is damaged or of another format"},
           Case{"[\"\xed\xa0\x80\"]",
                "f: byte 10: is not UTF-8 here; the file is damaged or of another format"},
           Case{"[1]\f", "f: byte 11: is not JSON: something follows the value"},
           Case{"[1\xC2\xA0]", "f: byte 9: is not JSON: \"1\xC2\xA0\" is no number"},
           Case{"/**/{}", "f: byte 8: is not JSON: a value was expected"},
       }) {
    CHECK_MESSAGE(verdict(c.text) == c.error, c.text);
  }
  CHECK(verdict(std::string_view("[1]\0", 4)) == "f: byte 11: is not JSON: something follows the value");
  CHECK(verdict(std::string_view("\0", 1)) == "f: byte 8: is not JSON: a value was expected");
}

TEST_CASE("127 levels are read, 128 are not") {
  CHECK(verdict(nested(127, "[", "]")) == "no error");
  CHECK(verdict(nested(128, "[", "]")) == "f: byte 135: is not JSON: it is nested deeper than 127 levels");
  CHECK(verdict(nested(127, "{\"a\":", "}")) == "no error");
  CHECK(verdict(nested(128, "{\"a\":", "}")) ==
        "f: byte 643: is not JSON: it is nested deeper than 127 levels");
  CHECK(verdict(nested(100'000, "[", "]")) ==
        "f: byte 135: is not JSON: it is nested deeper than 127 levels");
}

TEST_CASE("a text that is cut anywhere is refused, whatever lies behind it") {
  const std::string text =
      R"({"a":{"dtype":"F32","x":[1,2,{"y":null}]},"b":[true,false,-1.5],"c\n":"d\"e","f":{}})";
  CHECK(verdict(text) == "no error");
  for (const char behind : {'}', ']', '"', ',', ':', '\\', '1', ' ', '\0', '{'}) {
    CHECK(verdict_in_place(text, behind) == "no error");
    for (std::size_t length = 0; length < text.size(); ++length) {
      const std::string cut = text.substr(0, length);
      CHECK(verdict_in_place(cut, behind) != "no error");
      CHECK(verdict_in_place(cut, behind) == verdict(cut));
    }
  }
}

TEST_CASE("a name without escapes is a view of the text itself") {
  for (const std::size_t readable_after : {std::size_t{0}, std::size_t{64}}) {
    const std::string padded = R"({"plain":1,"esc\u0061ped":2,"":3})" + std::string(64, 'x');
    const std::string_view text = std::string_view(padded).substr(0, padded.size() - 64);
    std::vector<std::string> names;
    Document document(text, readable_after, {.offset = 100});
    document.read([&](Value& root) {
      root.members([&](const json::Key& key, Value&) {
        names.emplace_back(key.text);
        const bool inside =
            key.text.data() >= text.data() && key.text.data() + key.text.size() <= text.data() + text.size();
        CHECK(inside == key.in_source);
        CHECK(key.in_source == (key.text != "escaped"));
        CHECK(text[key.offset - 100] == '"');
      });
    });
    CHECK(names == std::vector<std::string>{"plain", "escaped", ""});
  }
}

TEST_CASE("values are read as what they are") {
  const std::string text =
      R"({"s":"a\tb","u":18446744073709551615,"f":1.0,"n":-7,"t":true,"z":null,"a":["x","\u00e9"]})";
  Document document(text, 0, {.offset = 8});
  document.read([&](Value& root) {
    CHECK(root.kind() == Kind::object);
    CHECK(root.offset() == 8);
    root.members([&](const json::Key& key, Value& value) {
      CHECK_FALSE(value.was_read());
      if (key.text == "s") CHECK(value.string() == "a\tb");
      if (key.text == "u") CHECK(value.u64() == UINT64_MAX);
      if (key.text == "f") CHECK_FALSE(value.u64());
      if (key.text == "n") CHECK(value.number() == "-7");
      if (key.text == "t") CHECK(value.boolean());
      if (key.text == "z") value.null();
      if (key.text == "a") {
        std::vector<std::string> elements;
        value.elements([&](Value& element) { elements.emplace_back(element.string()); });
        CHECK(elements == std::vector<std::string>{"x", "é"});
      }
      CHECK(value.was_read());
    });
  });
}

TEST_CASE("the root may be a scalar, and is checked to the end") {
  Document text("  \"a\\u0062\" ", 0, {});
  text.read([](Value& root) { CHECK(root.string() == "ab"); });
  Document number(" 42\n", 0, {});
  number.read([](Value& root) { CHECK(root.u64() == 42); });
  CHECK(error_text([] { Document("\"\\ud800\"", 0, {.file = "f"}).read([](Value&) {}); }) ==
        "f: byte 0: is not JSON: the string that begins here holds an escape that means nothing");
}

TEST_CASE("an error in a small file shows its line with a caret") {
  const json::Source source = {.file = "a.json",
                               .not_utf8 = ErrorKind::index_invalid,
                               .not_json = ErrorKind::index_invalid,
                               .excerpt = true};
  CHECK(error_text([&] { json::parse("{\n  \"a\": tru\n}", source); }) ==
        "a.json:2:8: is not JSON: true or false was expected\n2 |   \"a\": tru\n  |        ^");
  try {
    json::parse("[", source);
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::index_invalid);
  }
}

TEST_CASE("a reader's own complaint carries the value's place") {
  Document document(R"({"a": [1, 2]})", 0, {.file = "f", .offset = 8});
  const std::string text = error_text([&] {
    document.read([](Value& root) {
      root.members(
          [](const json::Key&, Value& value) { throw value.error(ErrorKind::entry_invalid, "is wrong"); });
    });
  });
  CHECK(text == "f: byte 14: is wrong");
}

TEST_CASE("a tree keeps a repeated name at its first place with its last value") {
  const json::Node node = json::parse(R"({"b":1,"a":[2,"x"],"b":{"c":null}})", {});
  REQUIRE(node.members.size() == 2);
  CHECK(node.members[0].first == "b");
  CHECK(node.members[0].second.kind == Kind::object);
  CHECK(node.find("a")->elements[1].text == "x");
  CHECK(node.find("none") == nullptr);
}

TEST_CASE("numbers beyond f64 pass where the source says so") {
  const std::string text = "[1e400]";
  CHECK(error_text([&] { json::parse(text, {}); }) ==
        "byte 1: is not JSON: the number \"1e400\" is out of range");
  CHECK(json::parse(text, {.huge_numbers = true}).elements[0].text == "1e400");
  CHECK(error_text([] { json::parse("[1e]", {.huge_numbers = true}); }) ==
        "byte 1: is not JSON: \"1e\" is no number");
}

TEST_CASE("any strings that are written are read back, whatever the escapes") {
  CHECK(rc::check([](const std::vector<std::vector<std::uint32_t>>& codepoints, bool ascii) {
    json::Writer writer(0, ascii ? json::Escapes::ascii : json::Escapes::raw_utf8);
    std::vector<std::string> texts;
    writer.begin_array();
    for (const auto& string : codepoints) {
      std::string& text = texts.emplace_back();
      for (const std::uint32_t codepoint : string) {
        const char32_t valid = codepoint % 0x110000;
        utf8::append(text, valid >= 0xD800 && valid <= 0xDFFF ? valid - 0xD800 : valid);
        utf8::append(text, codepoint % 0x80);  // most of what matters is ASCII
      }
      writer.string(text);
    }
    writer.end_array();
    const json::Node node = json::parse(writer.text(), {});
    RC_ASSERT(node.elements.size() == texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) RC_ASSERT(node.elements[i].text == texts[i]);
  }));
}
