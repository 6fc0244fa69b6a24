#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "base/error.h"
#include "rename_all.h"
#include "support/error_text.h"

using namespace keyshift;
using namespace keyshift::test;

TEST_CASE("a reversed transform has the patterns as they were given, the other way round") {
  TransformList list = renaming_of("^a\\.(\\d+)", "^(?!x)b.\\1");
  list.transforms[0].scope_prefix = "s";
  list.transforms[0].base_model_prefix = "m";
  const Transform transform = reversed(list.transforms[0]);
  CHECK(transform.source_patterns == std::vector<std::string>{"^(?!x)b.\\1"});
  CHECK(transform.target_patterns == std::vector<std::string>{"^a\\.(\\d+)"});
  CHECK(transform.scope_prefix == "s");
  CHECK(transform.base_model_prefix == "m");
  CHECK(transform.place == "here");
}

TEST_CASE("a lookahead in a target guards the way back") {
  const char* rules =
      R"([{"type":"WeightRenaming","source_patterns":"^lm","target_patterns":"^(?!model\\.)(?:xx)?lm_x"}])";
  CHECK(load(rules, {"lm.a"}) == Keys{"?lm_x.a"});
  CHECK(save(rules, {"lm_x.a", "model.lm_x.a"}) == Keys{"lm.a", "model.lm_x.a"});
}

TEST_CASE("a group in the target comes back as \\1") {
  const char* rules =
      R"([{"type":"WeightRenaming","source_patterns":"\\1\\.x","target_patterns":"(enc|dec)\\.y"}])";
  CHECK(load(rules, {"enc.x.w", "dec.x", "other.x"}) == Keys{"enc.y.w", "dec.y", "other.x"});
  CHECK(save(rules, {"enc.y.w", "dec.y", "other.y"}) == Keys{"enc.x.w", "dec.x", "other.y"});
}

TEST_CASE("the ^ of a source holds on the way back") {
  const char* rules =
      R"([{"type":"WeightRenaming","source_patterns":"^model\\.","target_patterns":"backbone."}])";
  CHECK(save(rules, {"backbone.a", "x.backbone.a", "backbonexa"}) ==
        Keys{"model.a", "x.backbone.a", "model.a"});
}

TEST_CASE("a reversed group is sorted, so that its guard comes first") {
  TransformList list = rules(R"([{"type":"GroupWeightRename","source_patterns":["fc2","fc0","fc1"],
                                  "target_patterns":["fc3","fc1","fc2"]}])");
  const Transform transform = reversed(list.transforms[0]);
  CHECK(transform.source_patterns == std::vector<std::string>{"fc1", "fc2", "fc3"});
  CHECK(transform.target_patterns == std::vector<std::string>{"fc0", "fc1", "fc2"});
}

TEST_CASE("an index offset changes its sign on the way back") {
  const char* rules = R"j([{"type":"Inkling2IndexOffsetWeightRename","source_patterns":"q\\.(\\d+)",
                           "target_patterns":"layers.\\1.q","offset":3}])j";
  CHECK(load(rules, {"q.0"}) == Keys{"layers.3.q"});
  CHECK(save(rules, {"layers.3.q", "layers.1.q"}) == Keys{"q.0", "q.-2"});
}

TEST_CASE("a prefix that was removed is added on the way back") {
  const char* rules =
      R"([{"type":"PrefixChange","prefix_to_remove":"model","model_prefix":"m","scope_prefix":"s"}])";
  CHECK(load(rules, {"s.m.model.a"}) == Keys{"s.m.a"});
  CHECK(save(rules, {"s.m.a", "s.m.model.a"}) == Keys{"s.m.model.a", "s.m.model.a"});
}

TEST_CASE("operations are undone last first, and the converter keeps its place") {
  TransformList list = rules(R"([{"type":"WeightConverter","source_patterns":["experts.*.w1","experts.*.w3"],
      "target_patterns":"experts.gate_up","force_cpu":true,
      "operations":[{"type":"MergeModulelist","dim":0},{"type":"Concatenate","dim":1}]}])");
  const Transform transform = reversed(list.transforms[0]);
  REQUIRE(transform.operations.size() == 2);
  CHECK(transform.operations[0].type == "Chunk");
  CHECK(transform.operations[1].type == "SplitModulelist");
  CHECK(transform.force_cpu);
  CHECK(transform.target_patterns.size() == 2);
}

TEST_CASE("a transform that cannot be constructed in reverse stops a save, not a load") {
  const char* rules =
      R"j([{"type":"WeightRenaming","source_patterns":"a(\\d+)","target_patterns":"b\\1\\1"}])j";
  CHECK(load(rules, {"a7"}) == Keys{"b77"});
  CHECK(error_text([&] { save(rules, {"b77"}); }) ==
        "rules.json:1:2: this WeightRenaming cannot be reversed for saving: source pattern \"b(\\d+)\\1\": "
        "cannot "
        "refer to an open group, at character 7");
  const char* escape = R"([{"type":"WeightRenaming","source_patterns":"a","target_patterns":"b["}])";
  CHECK(error_text([&] { save(escape, {"b"}); }) ==
        "rules.json:1:2: this WeightRenaming cannot be reversed for saving: source pattern \"b[\": "
        "unterminated "
        "character set, at character 2");
}

TEST_CASE("property: save undoes load where the names are plain and the result is new to the key") {
  const auto part = rc::gen::element<std::string>("attn", "mlp", "q_proj", "layers", "0", "12", "é", "norm1");
  CHECK(rc::check([&] {
    const auto before = *rc::gen::container<std::vector<std::string>>(part);
    const auto after = *rc::gen::container<std::vector<std::string>>(part);
    const auto source = *part;
    std::string key, list;
    for (const auto& name : before) key += name + ".";
    key += source;
    for (const auto& name : after) key += "." + name;
    list = R"([{"type":"WeightRenaming","source_patterns":")" + source +
           R"(","target_patterns":"fresh_name"},{"type":"PrefixChange","prefix_to_add":"outer"}])";
    const auto renamed = load(list, {key});
    RC_ASSERT(renamed.front() != key);
    RC_ASSERT(save(list, renamed) == Keys{key});
  }));
}

TEST_CASE("property: reversing twice gives the transform back") {
  const auto text = rc::gen::element<std::string>("a", "^b", "(c)\\.", "\\1.d", "e*.f", "");
  const auto texts = rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(text));
  CHECK(rc::check([&] {
    TransformList list = renaming_of("", "");
    Transform& transform = list.transforms[0];
    transform.type = *rc::gen::element(TransformType::WeightRenaming, TransformType::WeightConverter,
                                       TransformType::Inkling2IndexOffsetWeightRename);
    transform.source_patterns = *texts;
    transform.target_patterns = *texts;
    transform.offset = *rc::gen::inRange<std::int64_t>(-9, 9);
    if (transform.type == TransformType::WeightConverter)
      transform.operations = {{"Transpose", {}}, {"Chunk", {}}};
    const Transform once = reversed(transform);
    RC_ASSERT(once.source_patterns == transform.target_patterns);
    TransformList twice = list;
    twice.transforms[0] = reversed(once);
    if (transform.type != TransformType::WeightConverter) {
      RC_ASSERT(write_transforms(twice) == write_transforms(list));
    }
    twice.transforms[0] = reversed(reversed(twice.transforms[0]));
    const Transform fixed = reversed(reversed(twice.transforms[0]));  // defaults are written out by now
    RC_ASSERT(fixed.operations.size() == transform.operations.size());
    TransformList again = list;
    again.transforms[0] = fixed;
    RC_ASSERT(write_transforms(again) == write_transforms(twice));
  }));
}
