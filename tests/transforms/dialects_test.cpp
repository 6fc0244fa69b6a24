#include <doctest/doctest.h>

#include "support/error_text.h"
#include "transforms/renaming.h"
#include "transforms/transform_file.h"

using keyshift::parse_transforms;
using keyshift::PlainRun;
using keyshift::RenameOutcome;
using keyshift::Renaming;
using keyshift::TransformList;
using keyshift::test::error_text;

namespace {

TransformList read(const std::string& text) { return parse_transforms(text, "m.json"); }

// The new key, or "dropped".
std::string renamed(const std::string& file, const std::string& key) {
  const Renaming renaming(read(file), {});
  RenameOutcome outcome;
  const std::string to = PlainRun(renaming).rename(key, &outcome);
  return outcome.dropped ? "dropped" : to;
}

std::string error_of(const std::string& file) {
  return error_text([&] { read(file); });
}

std::string vllm(const std::string& members) {
  return R"({"dialect": "vllm-weights-mapper", )" + members + "}";
}
std::string sglang(const std::string& members) {
  return R"({"dialect": "sglang-weights-mapper", )" + members + "}";
}
std::string peft(const std::string& mapping) {
  return R"({"dialect": "peft-key-mapping", "key_mapping": )" + mapping + "}";
}

}  // namespace

TEST_CASE("T43: a key_mapping of transformers is a WeightRenaming for each entry, in order") {
  const std::string file =
      R"({"dialect": "transformers-key-mapping", "key_mapping": {"^lm": "model", "model": "base"}})";
  CHECK(read(file).transforms.size() == 2);
  CHECK(renamed(file, "lm.w") == "base.w");
  CHECK(renamed(file, "model_x.w") == "model_x.w");  // it ends at a name boundary (T7)
  CHECK(read(file).transforms[1].place == "m.json:1:73");
}

TEST_CASE("T44: of a key_mapping of PEFT the first entry that is found counts, everywhere") {
  const std::string file = peft(R"({"x": "y", "a(\\d)?": "b\\1", "b": "c"})");
  CHECK(renamed(file, "base_model.model.a1.a.b") == "base_model.model.b1.b.b");
  CHECK(renamed(file, "base_model.b") == "base_model.c");
  CHECK(renamed(file, "base_model.model.z") == "base_model.model.z");
  CHECK(renamed(peft("{}"), "z") == "z");
  CHECK(error_text([&] { renamed(file, "a"); }) ==
        "m.json:1:33: key \"a\": the keys of an adapter begin with base_model., and PEFT loads none that "
        "does not");
}

TEST_CASE("T45: a WeightsMapper of vLLM goes from class to class, and every entry of each may act") {
  CHECK(renamed(vllm(R"("orig_to_new_substr": {"a.": "b.", "b.": "c."})"), "a.a.w") == "c.a.w");
  CHECK(renamed(
            vllm(R"("orig_to_new_prefix": {"": "m.", "m.x": "y"}, "orig_to_new_suffix": {".w": ".weight"})"),
            "x.w.w") == "y.w.weight");
  CHECK(renamed(vllm(R"("orig_to_new_regex": {"\\d": "<\\g<0>>"}, "orig_to_new_substr": {">": "}"})"),
                "1.2") == "<1}.<2>");
  CHECK(renamed(vllm(R"("orig_to_new_renaming": [{"source_patterns": ["a", "bb"], "target_patterns": "c"}],
                       "orig_to_new_substr": {"": "m."}, "orig_to_new_stacked": {})"),
                "x.bb.a") == "m.x.c.a");
}

TEST_CASE("T45: null drops the tensor, and nothing comes after it") {
  const std::string file = vllm(R"("orig_to_new_regex": {"^mtp": null}, "orig_to_new_prefix": {"": "m."})");
  CHECK(renamed(file, "mtp.w") == "dropped");
  CHECK(renamed(file, "w.mtp") == "m.w.mtp");
}

TEST_CASE("T46: of a WeightsMapper of SGLang the longest entry of each class acts, and only it") {
  const std::string file = sglang(R"("orig_to_new_prefix": {"a.": "x.", "a.b.": "a.", "x.": "y."},
                                    "orig_to_new_suffix": {"w": "v", ".w": null})");
  CHECK(renamed(file, "a.b.c") == "a.c");
  CHECK(renamed(file, "a.c") == "x.c");
  CHECK(renamed(file, "a.w") == "dropped");
}

TEST_CASE("texts of a mapper mean themselves, whatever patterns and templates make of them") {
  CHECK(renamed(vllm(R"x("orig_to_new_substr": {"[0].(a)": "\\1"})x"), "x[0].(a).b") == "x\\1.b");
  CHECK(renamed(sglang(R"("orig_to_new_suffix": {"\\g<1>": "é\n"})"), "x\\g<1>") == "xé\n");
}

TEST_CASE("what a dialect does not have is refused at its place") {
  CHECK(error_of(R"({"dialect": "nope"})") ==
        "m.json:1:13: unknown dialect, \"nope\"; known are transformers-key-mapping, peft-key-mapping, "
        "vllm-weights-mapper, sglang-weights-mapper\n1 | {\"dialect\": \"nope\"}\n  |             ^");
  const auto first_line = [](const std::string& file) {
    const std::string text = error_of(file);
    return text.substr(0, text.find('\n'));
  };
  CHECK(first_line(R"({"dialect": "peft-key-mapping"})") == "m.json:1:1: this dialect needs \"key_mapping\"");
  CHECK(first_line(peft("[]")) ==
        "m.json:1:48: \"key_mapping\" must be an object from old to new, not an array");
  CHECK(first_line(peft(R"({"a": null})")) == "m.json:1:54: the new text must be a string, not null");
  CHECK(first_line(peft(R"({"a": "b", "a": "c"})")) == "m.json:1:59: \"a\" is given twice");
  CHECK(first_line(peft(R"({"a": "\\2"})")) == "m.json:1:54: template \"\\2\": invalid group reference 2");
  CHECK(first_line(peft(R"({"(": "b"})")) ==
        "m.json:1:49: Python's re refuses this pattern: missing ), unterminated subpattern");
  CHECK(first_line(sglang(R"("orig_to_new_regex": {})")) ==
        "m.json:1:38: unknown field \"orig_to_new_regex\"; this dialect has dialect, orig_to_new_substr, "
        "orig_to_new_prefix, orig_to_new_suffix");
  CHECK(first_line(vllm(R"("orig_to_new_suffix": {"": "x"})")) ==
        "m.json:1:59: an empty suffix: Python fails at it with \"empty separator\"");
  CHECK(first_line(vllm(R"("orig_to_new_stacked": {".q": [".qkv", "q"]})")) ==
        "m.json:1:36: \"orig_to_new_stacked\" puts several tensors into one, which is more than a name; "
        "leave it out");
}

TEST_CASE("a mapping of another tool goes one way, and is written and read again as it is") {
  const TransformList list =
      read(vllm(R"("orig_to_new_regex": {"a": null}, "orig_to_new_substr": {"b": "c"})"));
  keyshift::RenamingOptions save;
  save.direction = keyshift::Direction::save;
  CHECK(error_text([&] { Renaming(list, save); }) ==
        "m.json:1:93: this KeyMapping cannot be reversed for saving: a KeyMapping goes one way only: what "
        "other tools "
        "map, they do not map back");
  const std::string written = write_transforms(list);
  CHECK(write_transforms(parse_transforms(written, "w.json")) == written);
  CHECK(renamed(written, "a.b") == "dropped");
  const std::string adapter = write_transforms(read(peft(R"({"a": "b"})")));
  CHECK(renamed(adapter, "base_model.a") == "base_model.b");
}
