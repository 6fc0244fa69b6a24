#include "format/index.h"

#include <doctest/doctest.h>

#include "support/error_text.h"

using namespace keyshift;
using keyshift::test::error_text;

namespace {

using Places = std::vector<WeightMap::Entry>;

std::string verdict(std::string_view text) {
  return error_text([&] { read_index(text, "i.json"); });
}

std::vector<std::pair<std::string, std::string>> places(const Index& index) {
  return {index.weight_map.begin(), index.weight_map.end()};
}

std::vector<std::string> warnings(std::string_view text) { return read_index(text, "i.json").warnings; }

}  // namespace

TEST_CASE("an index is read in text order, with what else it holds") {
  const Index index = read_index(
      R"({"weight_map":{"b":"x-2.safetensors","a\u00e9":"x-1.safetensors","c":"x-1.safetensors"},
          "metadata":{"total_parameters":7,"total_size":42},"more":[1]})",
      "i.json");
  CHECK(places(index) == std::vector<std::pair<std::string, std::string>>{
                             {"b", "x-2.safetensors"}, {"aé", "x-1.safetensors"}, {"c", "x-1.safetensors"}});
  CHECK(index.shard_names() == std::vector<std::string>{"x-1.safetensors", "x-2.safetensors"});
  CHECK(index.total_size == 42);
  CHECK(index.metadata.find("total_parameters")->text == "7");
  REQUIRE(index.extra.size() == 1);
  CHECK(index.extra[0].first == "more");
  CHECK(index.warnings.empty());
}

TEST_CASE("F20, F21, F22: an index that is none is refused with line, column and a caret") {
  struct Case {
    const char *text, *error;
  };
  for (const Case& c : {
           Case{"", "i.json:1:1: is not JSON: it holds no value\n1 | \n  | ^"},
           Case{"<html>", "i.json:1:1: is not JSON: a value was expected\n1 | <html>\n  | ^"},
           Case{"{\"weight_map\":{\n\"a\":NaN}}",
                "i.json:2:5: is not JSON: a value was expected\n2 | \"a\":NaN}}\n  |     ^"},
           Case{"{} x", "i.json:1:4: is not JSON: something follows the value\n1 | {} x\n  |    ^"},
           Case{"[]",
                "i.json:1:1: the index is an array, and it must be an object with a weight_map\n1 | []\n  | "
                "^"},
           Case{"{}", "i.json: the index has no weight_map, which tells where each tensor is"},
           Case{"{\"weight_map\":{}}",
                "i.json: the weight_map is empty: no shard is named, so there is nothing to read; `keyshift "
                "reindex` "
                "writes the index that the shards deserve"},
           Case{"{\"weight_map\":[]}",
                "i.json:1:15: weight_map is an array, and it must be an object from keys to shards\n"
                "1 | {\"weight_map\":[]}\n  |               ^"},
           Case{"{\"weight_map\":{\"a\":1}}",
                "i.json:1:20: key \"a\": the shard's name is a number, and it must be a string\n"
                "1 | {\"weight_map\":{\"a\":1}}\n  |                    ^"},
           Case{"{\"weight_map\":{},\"weight_map\":{}}",
                "i.json:1:31: weight_map stands in the index twice: which is meant?\n"
                "1 | {\"weight_map\":{},\"weight_map\":{}}\n  |                               ^"},
           Case{"{\"metadata\":\"x\"}",
                "i.json:1:13: metadata is a string, and it must be an object\n"
                "1 | {\"metadata\":\"x\"}\n  |             ^"},
           Case{"{\"weight_map\":{\"a\":\"\"}}",
                "i.json:1:20: key \"a\": the shard's name \"\" is empty: such a path is never followed\n"
                "1 | {\"weight_map\":{\"a\":\"\"}}\n  |                    ^"},
           Case{"{\"weight_map\":{\"a\":\"/x.safetensors\"}}",
                "i.json:1:20: key \"a\": the shard's name \"/x.safetensors\" is an absolute path: such a "
                "path is never "
                "followed\n1 | {\"weight_map\":{\"a\":\"/x.safetensors\"}}\n  |                    ^"},
       }) {
    CHECK_MESSAGE(verdict(c.text) == c.error, c.text);
  }
}

TEST_CASE("what is odd in an index is accepted and told") {
  const std::string map = R"("weight_map":{"a":"x.safetensors"})";
  CHECK(warnings("{" + map + "}") ==
        std::vector<std::string>{"metadata is missing, transformers does not load such an index"});
  CHECK(warnings("{\"metadata\":null," + map + "}") ==
        std::vector<std::string>{"metadata is null, transformers does not load such an index"});
  CHECK(warnings("{\"metadata\":{}," + map + "}").empty());
  for (const auto& [size, shown] : std::vector<std::pair<std::string, std::string>>{
           {"true", "a boolean"}, {"\"4\"", "a string"}, {"4.0", "4.0"}, {"-1", "-1"}, {"1e999", "1e999"}}) {
    CHECK(
        warnings("{\"metadata\":{\"total_size\":" + size + "}," + map + "}") ==
        std::vector<std::string>{"metadata.total_size is " + shown + ", and it should be a number of bytes"});
  }
  CHECK(warnings("{\"metadata\":{\"total_size\":1},\"metadata\":{\"total_size\":2}," + map + "}") ==
        std::vector<std::string>{"metadata stands in it twice; the last is taken"});
}

TEST_CASE("a repeated key keeps its place and takes the last shard") {
  const Index index = read_index(
      R"({"metadata":{},"weight_map":{"a":"1.safetensors","b":"1.safetensors","a":"2.safetensors","b":"2.safetensors"}})",
      "i.json");
  CHECK(places(index) ==
        std::vector<std::pair<std::string, std::string>>{{"a", "2.safetensors"}, {"b", "2.safetensors"}});
  CHECK(index.shard_names() == std::vector<std::string>{"2.safetensors"});
  CHECK(index.warnings == std::vector<std::string>{"the key \"a\" stands in it twice, for \"1.safetensors\" "
                                                   "and for \"2.safetensors\"; the last is taken",
                                                   "2 keys stand in it more than once"});
}

TEST_CASE("F23: a shard name that leads elsewhere is unsafe") {
  for (const char* good :
       {"model.safetensors", "a/b-00001-of-00002.safetensors", "-rf.safetensors", "mod\nel.safetensors",
        "a b'\".safetensors", "..x.safetensors", "...safetensors", "é.safetensors", "sub/c:x.safetensors"}) {
    CHECK_MESSAGE(unsafe_shard_name(good).empty(), good);
  }
  const auto reason = [](std::string_view name) { return unsafe_shard_name(name); };
  CHECK(reason("") == "is empty");
  CHECK(reason("/etc/x.safetensors") == "is an absolute path");
  CHECK(reason("C:x.safetensors") == "begins with a drive");
  CHECK(reason("..\\x.safetensors") == "holds a backslash, which parts folders on other systems");
  CHECK(reason("a\rb.safetensors") == "holds a control character");
  CHECK(reason(std::string_view("a\0b.safetensors", 15)) == "holds a control character");
  CHECK(reason("../x.safetensors") == "has the part `..`");
  CHECK(reason("a/../x.safetensors") == "has the part `..`");
  CHECK(reason("./x.safetensors") == "has the part `.`");
  CHECK(reason("https://h/x.safetensors") == "has an empty part");
  CHECK(reason("a.safetensors/") == "has an empty part");
  CHECK(reason("x.bin") == "does not end in .safetensors");
  CHECK(reason("x.SAFETENSORS") == "does not end in .safetensors");
}

TEST_CASE("F24: an index is written as Python's json.dumps(indent=2, sort_keys=True) writes it") {
  const json::Node metadata =
      json::parse(R"({"total_parameters":7,"é":[1,{"b":2,"a":1.5}],"total_size":1,"Z":null})", {});
  CHECK(write_index(Places{{"b", "s2"}, {"aé😀", "s1"}, {"a.10", "s1"}, {"a.2", "s1"}, {"", "s2"}}, 29,
                    metadata) ==
        R"({
  "metadata": {
    "Z": null,
    "total_parameters": 7,
    "total_size": 29,
    "\u00e9": [
      1,
      {
        "a": 1.5,
        "b": 2
      }
    ]
  },
  "weight_map": {
    "": "s2",
    "a.10": "s1",
    "a.2": "s1",
    "a\u00e9\ud83d\ude00": "s1",
    "b": "s2"
  }
}
)");
  CHECK(write_index({}, 0, {}) ==
        "{\n  \"metadata\": {\n    \"total_size\": 0\n  },\n  \"weight_map\": {}\n}\n");
}

TEST_CASE("what is written is read back") {
  const std::string text = write_index(Places{{"a\"\n", "s/1.safetensors"}, {"b", "s/2.safetensors"}}, 5, {});
  const Index index = read_index(text, "i.json");
  CHECK(places(index) == std::vector<std::pair<std::string, std::string>>{{"a\"\n", "s/1.safetensors"},
                                                                          {"b", "s/2.safetensors"}});
  CHECK(index.total_size == 5);
  CHECK(index.warnings.empty());
}
