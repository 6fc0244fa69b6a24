#include "base/json_writer.h"

#include <doctest/doctest.h>

#include <limits>

#include "base/json.h"

using namespace keyshift;

namespace {

std::string escaped(std::string_view text, json::Escapes escapes) {
  std::string out;
  json::append_string(out, text, escapes);
  return out;
}

}  // namespace

TEST_CASE("strings are escaped as serde_json does it: what must be, in UTF-8") {
  const std::string_view text("\0\x01\b\t\n\v\f\r\x1f \"\\/\x7f\xC3\xA9\xF0\x9F\x98\x80", 20);
  CHECK(escaped(text, json::Escapes::raw_utf8) ==
        "\"\\u0000\\u0001\\b\\t\\n\\u000b\\f\\r\\u001f \\\"\\\\/\x7f\xC3\xA9\xF0\x9F\x98\x80\"");
}

TEST_CASE("strings are escaped as Python's json.dumps does it: ASCII, pairs above U+FFFF") {
  const std::string_view text("\0\x01\b\t\n\v\f\r\x1f \"\\/~\x7f\xC3\xA9\xE2\x80\xA8\xF0\x9F\x98\x80", 24);
  CHECK(escaped(text, json::Escapes::ascii) ==
        "\"\\u0000\\u0001\\b\\t\\n\\u000b\\f\\r\\u001f \\\"\\\\/~\\u007f\\u00e9\\u2028\\ud83d\\ude00\"");
}

TEST_CASE("a long string keeps every byte, wherever an escape stands in it") {
  for (std::size_t length = 0; length < 40; ++length) {
    for (std::size_t at = 0; at < length; ++at) {
      std::string text(length, 'a');
      text[at] = '"';
      CHECK(escaped(text, json::Escapes::raw_utf8) ==
            "\"" + std::string(at, 'a') + "\\\"" + std::string(length - at - 1, 'a') + "\"");
    }
  }
}

TEST_CASE("an indented text is what json.dumps(indent=2, sort_keys=True) writes") {
  const json::Node node = json::parse(
      R"({"é\u007f\u2028😀\"\\/": "\b\f\n\r\t\u0000\u001f\u007f", "z": [], "a": {}, "m": [1, -2, 1.5, true, null],
          "Z": {"b": 1, "a": [{"k": "v"}]}})",
      {});
  json::Writer writer(2, json::Escapes::ascii);
  writer.node(node, true);
  CHECK(writer.text() == R"({
  "Z": {
    "a": [
      {
        "k": "v"
      }
    ],
    "b": 1
  },
  "a": {},
  "m": [
    1,
    -2,
    1.5,
    true,
    null
  ],
  "z": [],
  "\u00e9\u007f\u2028\ud83d\ude00\"\\/": "\b\f\n\r\t\u0000\u001f\u007f"
})");
}

TEST_CASE("a compact text has no white space") {
  json::Writer writer;
  writer.begin_object().key("a").begin_array().number(std::uint64_t{1}).string("x").null().end_array();
  writer.key("b").boolean(false).key("c").begin_object().end_object().key("d").raw("[0]").end_object();
  CHECK(writer.text() == R"({"a":[1,"x",null],"b":false,"c":{},"d":[0]})");
}

TEST_CASE("numbers are written so that they read back as the same value") {
  json::Writer writer;
  writer.begin_array()
      .number(std::numeric_limits<std::uint64_t>::max())
      .number(std::numeric_limits<std::int64_t>::min());
  writer.number(0.1).number(1e300).number(-2.5).end_array();
  CHECK(writer.text() == "[18446744073709551615,-9223372036854775808,0.1,1e+300,-2.5]");
}
