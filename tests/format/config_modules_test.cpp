#include "format/config_modules.h"

#include <doctest/doctest.h>

#include "support/error_text.h"

using namespace keyshift;
using namespace keyshift::test;

namespace {

const std::vector<RenamedTensor> kTensors = {
    {"lm.head.weight", "lm_head.weight"},
    {"lm.model.layers.0.gate.weight", "model.layers.0.router.weight"},
    {"lm.model.layers.0.mlp.up.weight", "model.layers.0.mlp.up.weight"},
    {"lm.model.layers.1.gate.weight", "model.layers.1.router.weight"},
    {"lm.model.layers.1.mlp.up.weight", "model.layers.1.mlp.up.weight"},
    {"odd.a.weight", "x.a.weight"},
    {"odd.b.weight", "y.b.weight"},
    {"vision.w", "vision.w"},
};

ConfigRewrite rewritten(const std::string& text) { return rewrite_config(text, kTensors, "config.json"); }

// The list of names to ignore after the renaming, then what stays and why.
std::string ignoring(const std::string& names) {
  const std::string before = R"({"quantization_config":{"ignore":[)", after = "]}}";
  const ConfigRewrite result = rewritten(before + names + after);
  std::string text = result.text.substr(before.size(), result.text.size() - before.size() - after.size());
  for (const ConfigRewrite::Left& left : result.left)
    text += " | " + left.where + " " + left.text + ": " + left.why;
  return text;
}

}  // namespace

TEST_CASE("a module's name follows the tensors below it") {
  CHECK(ignoring(R"("lm.head")") == R"("lm_head")");
  CHECK(ignoring(R"("lm.model.layers.0.gate")") == R"("model.layers.0.router")");
  CHECK(
      ignoring(R"("lm.model.layers")") ==
      R"("lm.model.layers" | /quantization_config/ignore/0 lm.model.layers: "lm.model.layers.0.gate.weight" below )"
      R"(it became "model.layers.0.router.weight")");
  CHECK(ignoring(R"("lm.model.layers.1.mlp", "vision", "lm.head.weight")") ==
        R"("model.layers.1.mlp", "vision", "lm_head.weight")");
}

TEST_CASE("the end of modules' names follows if all that end so go the same way") {
  CHECK(ignoring(R"("gate")") == R"("router")");
  CHECK(ignoring(R"("mlp.up", "up")") == R"("mlp.up", "up")");
  const std::vector<RenamedTensor> two = {{"a.gate.w", "a.x.w"}, {"b.gate.w", "b.y.w"}};
  const std::string text = R"({"quantization_config":{"ignore":["gate"]}})";
  CHECK(rewrite_config(text, two, "config.json").left.at(0).why ==
        "modules with this ending went to \"x\" and to \"y\"");
  const std::vector<RenamedTensor> more = {{"a.gate.w", "a.x.w"}, {"b.x.w", "b.x.w"}};
  CHECK(rewrite_config(text, more, "config.json").left.at(0).why == "as \"x\" it would mean \"b.x\" too");
}

TEST_CASE("what is a pattern, means nothing here, or went two ways stays and is told") {
  CHECK(
      ignoring(R"("re:.*gate")") ==
      R"("re:.*gate" | /quantization_config/ignore/0 re:.*gate: is a pattern, which may mean other modules now)");
  CHECK(ignoring(R"("lm.model.*")").ends_with("is a pattern, which may mean other modules now"));
  CHECK(ignoring(R"("nobody")") ==
        R"("nobody" | /quantization_config/ignore/0 nobody: no tensor lies below it)");
  CHECK(ignoring(R"("odd")") ==
        R"("odd" | /quantization_config/ignore/0 odd: what lies below it went to "x" and to "y")");
}

TEST_CASE("every field that holds module names is looked into, and no other") {
  const ConfigRewrite result = rewritten(R"({
  "name": "lm.head", "ignore": ["lm.head"],
  "text_config": {"quantization_config": {"modules_to_not_convert": ["lm.head"], "quant_method": "lm.head"}},
  "quantization_config": {
    "config_groups": {"group_0": {"targets": ["Linear", "lm.head"]}},
    "extra_config": {"lm.head": {"bits": 16}, ".*x.*": {"bits": 8}},
    "block_name_to_quantize": "lm.model.layers.0.mlp,vision",
    "modules_in_block_to_quantize": [["gate"], ["mlp.up"]]},
  "quantization": {"group_size": 64, "lm.model.layers.0.gate": {"bits": 8}, "lm.model.layers.1.gate": false}
})");
  CHECK(result.text == R"({
  "name": "lm.head", "ignore": ["lm.head"],
  "text_config": {"quantization_config": {"modules_to_not_convert": ["lm_head"], "quant_method": "lm.head"}},
  "quantization_config": {
    "config_groups": {"group_0": {"targets": ["Linear", "lm_head"]}},
    "extra_config": {"lm_head": {"bits": 16}, ".*x.*": {"bits": 8}},
    "block_name_to_quantize": "model.layers.0.mlp,vision",
    "modules_in_block_to_quantize": [["router"], ["mlp.up"]]},
  "quantization": {"group_size": 64, "model.layers.0.router": {"bits": 8}, "model.layers.1.router": false}
})");
  REQUIRE(result.changes.size() == 7);
  CHECK(result.changes[0].where == "/text_config/quantization_config/modules_to_not_convert/0");
  CHECK(result.changes[2].where == "/quantization_config/extra_config/lm.head");
  REQUIRE(result.left.size() == 1);
  CHECK(result.left[0].where == "/quantization_config/extra_config/.*x.*");
}

TEST_CASE("all else stays byte for byte: order, blanks, escapes, numbers") {
  const std::string text =
      "\n{ \"a\\u00e9\" :1e400,\"quantization_config\":{\"ignore\" :[ \"lm\\u002ehead\" ,\"x\"]}, \"a\":[ "
      "]}\n\n";
  std::string expected = text;
  expected.replace(expected.find("\"lm\\u"), 14, "\"lm_head\"");
  CHECK(rewritten(text).text == expected);
  CHECK(rewritten("{}").text == "{}");
}

TEST_CASE("a config.json that is no JSON is refused at its place") {
  CHECK(error_text([] { rewritten("{\"a\": nan}"); }).starts_with("config.json:1:7: "));
}
