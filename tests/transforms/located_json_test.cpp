#include "transforms/located_json.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "support/error_text.h"

using namespace keyshift;
using namespace keyshift::test;

TEST_CASE("every value and every name knows its place, repeated names included") {
  const std::string text = R"( {"a": [1, "x"], "a": true})";
  const LocatedValue value = parse_located(text, "f.json");
  CHECK(value.offset == 1);
  REQUIRE(value.members.size() == 2);
  CHECK(value.members[0].offset == 2);
  CHECK(value.members[1].offset == 17);
  CHECK(value.find("a") == &value.members[0]);
  CHECK(value.find("b") == nullptr);
  const LocatedValue& array = value.members[0].value;
  CHECK(array.offset == 7);
  CHECK(array.elements[0].text == "1");
  CHECK(array.elements[1].offset == 11);
  CHECK(array.elements[1].text == "x");
  CHECK(value.members[1].value.boolean);
}

TEST_CASE("a value without places is the same value") {
  const json::Node node = without_places(parse_located(R"({"a":[null,-1.5,"x",false,{}]})", "f.json"));
  const json::Node* array = node.find("a");
  REQUIRE(array != nullptr);
  REQUIRE(array->elements.size() == 5);
  CHECK(array->elements[0].kind == json::Kind::null);
  CHECK(array->elements[1].text == "-1.5");
  CHECK(array->elements[2].text == "x");
  CHECK(array->elements[3].kind == json::Kind::boolean);
  CHECK(array->elements[4].kind == json::Kind::object);
}

TEST_CASE("a place in a string is found behind escapes of every kind") {
  const std::string text = R"(["a\n\u00e9\ud83d\ude00b\"c"])";
  const std::string_view value = "a\né\U0001F600b\"c";
  for (const char wanted : {'a', 'b', 'c'}) {
    CHECK(text[place_in_string(text, 1, value.find(wanted))] == wanted);
  }
  CHECK(text.substr(place_in_string(text, 1, 2), 6) == "\\u00e9");
  CHECK(text.substr(place_in_string(text, 1, 4), 6) == "\\ud83d");
  CHECK(place_in_string(text, 1, value.size()) == text.rfind('"'));
  CHECK(place_in_string(text, 1, 1000) == text.rfind('"'));
}
