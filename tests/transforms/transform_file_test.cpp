#include "transforms/transform_file.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "rename_all.h"
#include "support/error_text.h"
#include "support/temporary_folder.h"

using namespace keyshift;
using namespace keyshift::test;

namespace {

std::string error_of(std::string_view json) {
  return error_text([&] { parse_transforms(json, "rules.json"); });
}

// The first line of the error: without the excerpt.
std::string first_line(std::string_view json) {
  const std::string text = error_of(json);
  return text.substr(0, text.find('\n'));
}

// A WeightConverter with the given operations and one source and target.
std::string converter(std::string_view operations) {
  return R"([{"type":"WeightConverter","source_patterns":"a","target_patterns":"b","operations":)" +
         std::string(operations) + "}]";
}

}  // namespace

// T1

TEST_CASE("a transform file holds the schema, what the model is, and the transforms") {
  const auto list = rules(R"({"schema": "weight-transforms/1", "generator": "g", "model_type": "llava",
    "model_class": "C", "base_model_prefix": "model",
    "transforms": [{"type": "WeightRenaming", "source_patterns": ["a", "b"], "target_patterns": "c"}]})");
  CHECK(list.generator == "g");
  CHECK(list.model_type == "llava");
  CHECK(list.model_class == "C");
  CHECK(list.base_model_prefix == "model");
  REQUIRE(list.transforms.size() == 1);
  CHECK(list.transforms[0].source_patterns == std::vector<std::string>{"a", "b"});
  CHECK(list.transforms[0].target_patterns == std::vector<std::string>{"c"});
  CHECK(list.transforms[0].scope_prefix == std::nullopt);
  CHECK(list.transforms[0].place == "rules.json:3:20");
}

TEST_CASE("a bare array of transforms is a transform file, and says nothing of the model") {
  const auto list = rules("[]");
  CHECK(list.transforms.empty());
  CHECK(list.base_model_prefix == std::nullopt);
}

TEST_CASE("a file without a base model prefix differs from one with an empty one") {
  CHECK(rules(R"({"schema":"weight-transforms/1","transforms":[],"base_model_prefix":null})")
            .base_model_prefix == std::nullopt);
  CHECK(
      rules(R"({"schema":"weight-transforms/1","transforms":[],"base_model_prefix":""})").base_model_prefix ==
      "");
}

TEST_CASE("anything but an array or an object is refused with its place") {
  CHECK(error_of(" 3") ==
        "rules.json:1:2: expected an array of transforms or an object that holds one as "
        "\"transforms\", not a number\n1 |  3\n  |  ^");
  CHECK(first_line(R"({"schema":"weight-transforms/1","transforms":{}})") ==
        "rules.json:1:46: expected an array of transforms, not an object");
}

TEST_CASE("what is not JSON or not UTF-8 is refused as a transform file") {
  for (const char* text :
       {"", "[", "[]]", "[][]", "{'a':1}", "[1,]", "\xef\xbb\xbf[]", "[\"\xff\"]", "[\"\\ud800\"]"}) {
    try {
      parse_transforms(text, "rules.json");
      FAIL_CHECK(text);
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::transform_file_invalid);
      CHECK(std::string_view(error.what()).starts_with("rules.json:1:"));
    }
  }
}

TEST_CASE("a missing or another schema is refused") {
  CHECK(error_of("{}") == "rules.json:1:1: a transform file needs \"schema\"\n1 | {}\n  | ^");
  CHECK(first_line(R"({"schema":"weight-transforms/2","transforms":[]})") ==
        "rules.json:1:11: \"schema\" must be \"weight-transforms/1\", not \"weight-transforms/2\"");
  CHECK(first_line(R"({"schema":1,"transforms":[]})") ==
        "rules.json:1:11: \"schema\" must be \"weight-transforms/1\", not a number");
  CHECK(first_line(R"({"schema":"weight-transforms/1"})") ==
        "rules.json:1:1: a transform file needs \"transforms\"");
}

TEST_CASE("unknown fields and fields given twice are refused") {
  CHECK(first_line(R"({"schema":"weight-transforms/1","transforms":[],"x":1})") ==
        "rules.json:1:49: unknown field \"x\"; a transform file has schema, generator, model_type, "
        "model_class, "
        "base_model_prefix, transforms");
  CHECK(first_line(R"({"schema":"weight-transforms/1","transforms":[],"transforms":[]})") ==
        "rules.json:1:49: \"transforms\" is given twice");
  CHECK(first_line(R"({"schema":"weight-transforms/1","transforms":[],"model_type":1})") ==
        "rules.json:1:62: \"model_type\" must be a string, not a number");
}

TEST_CASE("a transform must be an object with a known type") {
  CHECK(error_of("[\n  \"a\"]") ==
        "rules.json:2:3: a transform must be an object with a \"type\", not a string\n2 |   \"a\"]\n  |   ^");
  CHECK(first_line("[{}]") == "rules.json:1:2: a transform needs \"type\"");
  CHECK(first_line(R"([{"type":"weightrenaming"}])") ==
        "rules.json:1:10: unknown type of transform, \"weightrenaming\"; known are WeightRenaming, "
        "PrefixChange, "
        "GroupWeightRename, Inkling2IndexOffsetWeightRename, WeightConverter, KeyMapping");
  CHECK(first_line(R"([{"type":null}])") ==
        "rules.json:1:10: unknown type of transform, null; known are WeightRenaming, PrefixChange, "
        "GroupWeightRename, Inkling2IndexOffsetWeightRename, WeightConverter, KeyMapping");
}

TEST_CASE("a field of another type of transform is unknown") {
  CHECK(first_line(R"([{"type":"WeightRenaming","source_patterns":"a","target_patterns":"b","offset":1}])") ==
        "rules.json:1:71: unknown field \"offset\"; a WeightRenaming has type, source_patterns, "
        "target_patterns, "
        "scope_prefix, base_model_prefix");
  CHECK(first_line(R"([{"type":"PrefixChange","source_patterns":"a"}])") ==
        "rules.json:1:25: unknown field \"source_patterns\"; a PrefixChange has type, prefix_to_add, "
        "prefix_to_remove, model_prefix, scope_prefix, base_model_prefix");
  CHECK(first_line(R"([{"type":"WeightRenaming","type":"WeightRenaming"}])") ==
        "rules.json:1:27: \"type\" is given twice");
}

TEST_CASE("patterns are a string or an array of strings, and not empty") {
  const auto with = [](std::string_view sources) {
    return R"([{"type":"WeightRenaming","source_patterns":)" + std::string(sources) +
           R"(,"target_patterns":"b"}])";
  };
  CHECK(error_of(with("\"a\"")) == "no error");
  CHECK(error_of(with("[\"a\",\"b\"]")) == "no error");
  CHECK(first_line(with("null")) ==
        "rules.json:1:45: \"source_patterns\" must be a string or an array of strings, not null");
  CHECK(first_line(with("[]")) == "rules.json:1:45: \"source_patterns\" is empty");
  CHECK(first_line(with("[\"a\",1]")) ==
        "rules.json:1:50: \"source_patterns\" must hold strings only, not a number");
  CHECK(first_line(R"([{"type":"WeightRenaming","source_patterns":"a"}])") ==
        "rules.json:1:2: a WeightRenaming needs \"target_patterns\"");
}

TEST_CASE("the prefixes of a PrefixChange are strings or null, and exactly one counts") {
  const auto list =
      rules(R"([{"type":"PrefixChange","prefix_to_add":null,"prefix_to_remove":"m","model_prefix":null,
                               "scope_prefix":"","base_model_prefix":null}])");
  CHECK(list.transforms[0].prefix_to_add == std::nullopt);
  CHECK(list.transforms[0].prefix_to_remove == "m");
  CHECK(list.transforms[0].scope_prefix == "");
  CHECK(first_line(R"([{"type":"PrefixChange"}])") ==
        "rules.json:1:2: a PrefixChange takes exactly one of \"prefix_to_add\" and \"prefix_to_remove\"");
  CHECK(first_line(R"([{"type":"PrefixChange","prefix_to_add":["a"]}])") ==
        "rules.json:1:41: \"prefix_to_add\" must be a string, not an array");
}

TEST_CASE("an offset is a whole number of at most 63 bits") {
  const auto with = [](std::string_view offset) {
    return R"j([{"type":"Inkling2IndexOffsetWeightRename","source_patterns":"(a)","target_patterns":"b","offset":)j" +
           std::string(offset) + "}]";
  };
  CHECK(rules(with("-9223372036854775807")).transforms[0].offset == -9223372036854775807);
  for (const char* offset :
       {"1.0", "1e2", "\"1\"", "true", "null", "9223372036854775808", "-9223372036854775808"}) {
    CHECK(first_line(with(offset)) == "rules.json:1:99: \"offset\" must be an integer of at most 63 bits");
  }
  CHECK(first_line(
            R"([{"type":"Inkling2IndexOffsetWeightRename","source_patterns":"a","target_patterns":"b"}])") ==
        "rules.json:1:2: a Inkling2IndexOffsetWeightRename needs \"offset\"");
}

TEST_CASE("a group pairs its patterns, and of a string the characters are counted") {
  const auto with = [](std::string_view sources, std::string_view targets) {
    return R"([{"type":"GroupWeightRename","source_patterns":)" + std::string(sources) +
           R"(,"target_patterns":)" + std::string(targets) + "}]";
  };
  CHECK(error_of(with(R"(["a","b"])", R"(["c","d"])")) == "no error");
  CHECK(error_of(with(R"("ab")", R"("éd")")) == "no error");
  CHECK(error_of(with(R"("ab")", R"(["c","d"])")) == "no error");
  CHECK(first_line(with(R"(["a","b"])", R"(["c"])")) ==
        "rules.json:1:76: a GroupWeightRename needs as many target patterns as source patterns, not 1 for 2");
  CHECK(first_line(with(R"("a")", R"("cd")")) ==
        "rules.json:1:70: a GroupWeightRename needs as many target patterns as source patterns, not 2 for 1; "
        "write "
        "a single pattern as an array of one, for of a string transformers counts the characters");
}

// T3

TEST_CASE("a converter's operations are read with their arguments") {
  const auto list =
      rules(R"([{"type":"WeightConverter","source_patterns":"a","target_patterns":"b","force_cpu":true,
    "operations":[{"type":"Transpose","dim0":1,"dim1":-1,"check_dims":true},
                  {"type":"Conv3dToLinear","in_channels":3,"kernel_size":[2,14,14]}]}])");
  const Transform& transform = list.transforms[0];
  CHECK(transform.force_cpu);
  REQUIRE(transform.operations.size() == 2);
  CHECK(transform.operations[0].type == "Transpose");
  CHECK(transform.operations[0].arguments[1].first == "dim1");
  CHECK(transform.operations[0].arguments[1].second.text == "-1");
  CHECK(transform.operations[1].arguments[1].second.elements.size() == 3);
}

TEST_CASE("operations that are wrong are refused at their place") {
  CHECK(first_line(converter("[]")) == "rules.json:1:2: a WeightConverter needs at least one operation");
  CHECK(first_line(converter("{}")) == "rules.json:1:85: \"operations\" must be an array, not an object");
  CHECK(first_line(converter("[1]")) ==
        "rules.json:1:86: an operation must be an object with a \"type\", not a number");
  CHECK(first_line(converter("[{}]")) == "rules.json:1:86: an operation needs \"type\"");
  CHECK(first_line(converter(R"([{"type":1}])")) ==
        "rules.json:1:94: the \"type\" of an operation must be a string, not a number");
  CHECK(first_line(converter(R"([{"type":"Nope"}])"))
            .starts_with("rules.json:1:94: unknown operation \"Nope\"; known"));
  CHECK(first_line(converter(R"([{"type":"Chunk","dim":0.5}])")) ==
        "rules.json:1:102: \"dim\" of Chunk must be an integer");
  CHECK(first_line(converter(R"([{"type":"Chunk","axis":0}])")) ==
        "rules.json:1:102: Chunk takes no \"axis\"");
  CHECK(first_line(converter(R"([{"type":"Chunk","dim":0,"dim":1}])")) ==
        "rules.json:1:110: \"dim\" is given twice");
  CHECK(first_line(converter(R"([{"type":"Conv3dToLinear","in_channels":3}])")) ==
        "rules.json:1:86: Conv3dToLinear needs \"kernel_size\"");
  CHECK(first_line(R"([{"type":"WeightConverter","source_patterns":"a","target_patterns":"b","force_cpu":1,
                        "operations":[{"type":"Chunk"}]}])") ==
        "rules.json:1:84: \"force_cpu\" must be true or false");
  CHECK(first_line(R"([{"type":"WeightConverter","source_patterns":"a","target_patterns":"b"}])") ==
        "rules.json:1:2: a WeightConverter needs \"operations\"");
}

// The places of patterns

TEST_CASE("the caret of a pattern error stands under the fault, escapes and earlier lines notwithstanding") {
  CHECK(
      error_of("[\n {\"type\":\"WeightRenaming\",\n  \"source_patterns\":[\"x\",\"é\\u00e9\\n\\\\.(a\"],\n"
               "  \"target_patterns\":\"b\"}]") ==
      "rules.json:3:40: source pattern \"éé\\x0a\\.(a\": missing ), unterminated subpattern, at character 6\n"
      "3 |   \"source_patterns\":[\"x\",\"é\\u00e9\\n\\\\.(a\"],\n"
      "  |                                       ^");
}

TEST_CASE("the caret of a prefix that makes a bad pattern stands under the prefix") {
  CHECK(error_of(R"([{"type":"PrefixChange","prefix_to_remove":"a("}])") ==
        "rules.json:1:44: source pattern \"^a(\\.(.+)\": missing ), unterminated subpattern, at character 3\n"
        "1 | [{\"type\":\"PrefixChange\",\"prefix_to_remove\":\"a(\"}]\n"
        "  |                                            ^");
}

TEST_CASE("the caret of a source without its group stands under the source") {
  CHECK(first_line(R"([{"type":"WeightRenaming","source_patterns":["a","x\\1"],"target_patterns":"b"}])") ==
        "rules.json:1:51: source pattern \"x\\1\" asks for \\1, but no target pattern holds a group that "
        "could stand "
        "there");
}

// Reading and writing

TEST_CASE("a file is read from the disk, and its errors name it") {
  const TemporaryFolder folder;
  const auto good = folder.write("good.json", R"([{"type":"PrefixChange","prefix_to_add":"m"}])");
  CHECK(read_transforms(good).transforms.size() == 1);
  const auto bad = folder.write("bad.json", "[1]");
  CHECK(error_text([&] { read_transforms(bad); }) ==
        bad.string() + ":1:2: a transform must be an object with a \"type\", not a number\n1 | [1]\n  |  ^");
  const auto empty = folder.write("empty.json", "");
  CHECK(error_text([&] { read_transforms(empty); }).starts_with(empty.string() + ":1:1: "));
  CHECK(error_text([&] { read_transforms(folder / "none.json"); }) != "no error");
}
