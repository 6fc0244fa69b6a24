#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>

#include "base/error.h"
#include "rename_all.h"
#include "support/error_text.h"

using namespace keyshift;
using namespace keyshift::test;

namespace {

RenamingOptions saving(UsedTransforms used) {
  RenamingOptions options;
  options.direction = Direction::save;
  options.used = std::move(used);
  return options;
}

RenamingOptions with_target(const Keys& keys) {
  auto target = std::make_shared<TargetKeys>();
  target->keys.insert(keys.begin(), keys.end());
  RenamingOptions options;
  options.target = target;
  return options;
}

std::string renamings(std::initializer_list<std::pair<const char*, const char*>> pairs) {
  std::string out;
  for (const auto& [source, target] : pairs) {
    out += (out.empty() ? "[" : ",") + std::string(R"({"type":"WeightRenaming","source_patterns":")") +
           source + R"(","target_patterns":")" + target + "\"}";
  }
  return out + "]";
}

constexpr const char* kConverters = R"([
  {"type":"WeightConverter","source_patterns":["q","k"],"target_patterns":"qk","operations":[{"type":"Concatenate"}]},
  {"type":"WeightRenaming","source_patterns":"^old","target_patterns":"new"},
  {"type":"WeightConverter","source_patterns":["v","qk"],"target_patterns":"z","operations":[{"type":"Transpose"}]}])";

}  // namespace

// T10

TEST_CASE("an empty list changes nothing") { CHECK(load("[]", {"a.b", ""}) == Keys{"a.b", ""}); }

TEST_CASE("renamings apply in order, each to the result of the one before") {
  CHECK(load(renamings({{"a", "b"}, {"b", "c"}}), {"x.a", "x.b"}) == Keys{"x.c", "x.c"});
  CHECK(load(renamings({{"b", "c"}, {"a", "b"}}), {"x.a", "x.b"}) == Keys{"x.b", "x.c"});
}

TEST_CASE("on load converters come after all renamings, and the first that matches is the only one") {
  const Renaming renaming(rules(kConverters), {});
  PlainRun run(renaming);
  RenameOutcome outcome;
  CHECK(run.rename("old.q", &outcome) == "new.qk");
  CHECK(outcome.converter == "q");
  CHECK(outcome.transforms == std::vector<std::uint32_t>{1, 0});
  CHECK(run.rename("old.v", &outcome) == "new.z");
  CHECK(outcome.converter == "v");
  CHECK(run.rename("old.w", &outcome) == "new.w");
  CHECK(outcome.converter == std::nullopt);
}

TEST_CASE("on save the last converter comes first, then the renamings from last to first") {
  const Renaming renaming(rules(kConverters), saving({UsedTransforms::Which::all, {}}));
  PlainRun run(renaming);
  RenameOutcome outcome;
  CHECK(run.rename("new.z", &outcome) == "old.v");
  CHECK(outcome.converter == "z");
  CHECK(outcome.transforms == std::vector<std::uint32_t>{2, 1});
  CHECK(save(renamings({{"a", "b"}, {"b", "c"}}), {"x.c", "x.b"}) == Keys{"x.a", "x.a"});
}

TEST_CASE("a converter is named by its source pattern as it was processed") {
  const auto list =
      rules(R"([{"type":"WeightConverter","source_patterns":"\\1.a","target_patterns":"^(x|y).b",
                               "operations":[{"type":"Chunk"}]}])");
  const Renaming renaming(list, {});
  PlainRun run(renaming);
  RenameOutcome outcome;
  CHECK(run.rename("x.a", &outcome) == "x.b");
  CHECK(outcome.converter == "^(x|y).a");
}

TEST_CASE("a converter with an empty source pattern fires on every key") {
  const Renaming renaming(rules(R"([{"type":"WeightConverter","source_patterns":"","target_patterns":"x.",
                                     "operations":[{"type":"Chunk"}]},
                                    {"type":"WeightConverter","source_patterns":"a","target_patterns":"b",
                                     "operations":[{"type":"Chunk"}]}])"),
                          {});
  PlainRun run(renaming);
  RenameOutcome outcome;
  CHECK(run.rename("a", &outcome) == "x.a");
  CHECK(outcome.converter == "");
}

// T11

TEST_CASE("a list with a group is stateful, and each run arms its groups anew") {
  const auto list =
      rules(R"([{"type":"GroupWeightRename","source_patterns":["n0","n1"],"target_patterns":["n1","n2"]}])");
  const Renaming renaming(list, {});
  CHECK(renaming.is_stateful());
  CHECK_FALSE(Renaming(rules("[]"), {}).is_stateful());
  PlainRun first(renaming);
  CHECK(first.rename("n0") == "n1");
  CHECK(first.rename("n1") == "n2");
  PlainRun second(renaming);
  CHECK(second.rename("n1") == "n1");
  CHECK(second.used() == std::vector<bool>{false});
}

// T12

TEST_CASE("a transform is used if it matched, even if it changed nothing") {
  const Renaming renaming(rules(renamings({{"a", "a"}, {"b", "c"}, {"z", "y"}})), {});
  PlainRun run(renaming);
  CHECK(run.used() == std::vector<bool>{false, false, false});
  CHECK(run.rename("a") == "a");
  CHECK(run.used() == std::vector<bool>{true, false, false});
  CHECK(run.rename("b") == "c");
  CHECK(run.used() == std::vector<bool>{true, true, false});
}

TEST_CASE("a save reverses all, all but prefix changes, or the flagged transforms") {
  const auto list = rules(R"([{"type":"PrefixChange","prefix_to_remove":"model"},
                              {"type":"WeightRenaming","source_patterns":"a","target_patterns":"b"}])");
  CHECK(rename_all(list, saving({UsedTransforms::Which::all, {}}), {"b"}) == Keys{"model.a"});
  CHECK(rename_all(list, saving({UsedTransforms::Which::fresh, {}}), {"b"}) == Keys{"a"});
  CHECK(rename_all(list, saving({UsedTransforms::Which::flagged, {true, false}}), {"b"}) == Keys{"model.b"});
  const Renaming renaming(list, saving({UsedTransforms::Which::flagged, {true, false}}));
  CHECK(renaming.transform_count() == 2);
  PlainRun run(renaming);
  run.rename("b");
  CHECK(run.used() == std::vector<bool>{true, false});
}

TEST_CASE("used-flags of the wrong number are refused") {
  CHECK(error_text([] {
          Renaming(rules("[]"), saving({UsedTransforms::Which::flagged, {true}}));
        }) == "1 used-flags were given for 0 transforms");
}

// T15

TEST_CASE("with the target's keys the base model prefix is added or stripped where the target has it so") {
  auto list = rules(renamings({{"gamma", "weight"}}));
  list.base_model_prefix = "model";
  CHECK(rename_all(list, with_target({"model.ln.weight", "head.weight"}),
                   {"ln.gamma", "model.ln.gamma", "head.gamma", "other.gamma"}) ==
        Keys{"model.ln.weight", "model.ln.weight", "head.weight", "other.weight"});
  CHECK(rename_all(list, with_target({"ln.weight"}), {"model.ln.gamma", "ln.gamma"}) ==
        Keys{"ln.weight", "ln.weight"});
}

TEST_CASE("the dot behind the base model prefix is any character, and stripping goes before adding") {
  auto list = rules("[]");
  list.base_model_prefix = "model";
  CHECK(rename_all(list, with_target({"layers.w"}), {"modelxlayers.w", "model\nlayers.w"}) ==
        Keys{"layers.w", "model\nlayers.w"});
  CHECK(rename_all(list, with_target({"a", "model.model.a"}), {"model.a"}) == Keys{"a"});
}

TEST_CASE("an empty base model prefix is a prefix, an absent one is none") {
  auto list = rules("[]");
  CHECK(rename_all(list, with_target({"ayers"}), {"layers"}) == Keys{"layers"});
  list.base_model_prefix = "";
  CHECK(rename_all(list, with_target({"ayers"}), {"layers"}) == Keys{"ayers"});
  CHECK(rename_all(list, with_target({".layers"}), {"layers"}) == Keys{".layers"});
}

TEST_CASE("a key that the target has is taken as it is if its new name is not there") {
  const auto list = rules(renamings({{"mlp", "mlp.mlp"}}));
  const Renaming renaming(list, with_target({"a.mlp.w"}));
  PlainRun run(renaming);
  RenameOutcome outcome;
  std::vector<RenameStep> steps;
  CHECK(run.rename("a.mlp.w", &outcome, &steps) == "a.mlp.w");
  CHECK(outcome.second_try);
  CHECK(run.used() == std::vector<bool>{true});  // it matched all the same
  REQUIRE(steps.size() == 2);
  CHECK(steps[1].what == "second try");
  CHECK(steps[1].before == "a.mlp.mlp.w");
  CHECK(run.rename("b.mlp.w", &outcome) == "b.mlp.mlp.w");
  CHECK_FALSE(outcome.second_try);
}

TEST_CASE("a second try fires no converter, and may still change the base model prefix") {
  auto list = rules(R"([{"type":"WeightConverter","source_patterns":"q","target_patterns":"qkv",
                         "operations":[{"type":"Chunk"}]}])");
  list.base_model_prefix = "m";
  const Renaming renaming(list, with_target({"q", "m.q"}));
  PlainRun run(renaming);
  RenameOutcome outcome;
  CHECK(run.rename("q", &outcome) == "m.q");
  CHECK(outcome.converter == std::nullopt);
  CHECK(outcome.second_try);
  CHECK(outcome.base_prefix_changed);
}

TEST_CASE("a save takes no notice of the target's keys") {
  RenamingOptions options = with_target({"a"});
  options.direction = Direction::save;
  CHECK(rename_all(renaming_of("b", "a"), options, {"a"}) == Keys{"b"});
}

TEST_CASE("a base model prefix that is no pattern is refused") {
  auto list = rules("[]");
  list.base_model_prefix = "a(";
  CHECK(error_text([&] {
          Renaming(list, with_target({"a"}));
        }).starts_with("the base_model_prefix \"a(\" is no pattern: "));
}

// T18 and steps

TEST_CASE("an error names the transform and the key as it came in") {
  CHECK(
      error_text([] {
        load(renamings({{"a", "b"}, {"b", "\\\\1"}}), {"x.a"});
      }) ==
      "rules.json:1:72: key \"x.a\": the target asks for \\1, but there is no group in source pattern \"b\"");
}

TEST_CASE("a pattern that explodes is stopped and named") {
  const std::string key = std::string(40, 'a') + "!";
  CHECK(error_text([&] {
          load(renamings({{"b", "c"}, {"(a+)+$", "x"}}), {key});
        }) == "rules.json:1:72: key \"" + key + "\": gave up searching \"" + key +
                  "\" for the pattern \"(?P<g0>(a+)+$)\": match limit exceeded");
}

TEST_CASE("steps show what each transform made of the key") {
  const Renaming renaming(rules(renamings({{"a", "b"}, {"q", "r"}, {"b", "c"}})), {});
  PlainRun run(renaming);
  std::vector<RenameStep> steps;
  CHECK(run.rename("x.a", nullptr, &steps) == "x.c");
  REQUIRE(steps.size() == 2);
  CHECK(steps[0].transform == 0);
  CHECK(steps[0].what == "WeightRenaming");
  CHECK(steps[0].before == "x.a");
  CHECK(steps[0].after == "x.b");
  CHECK(steps[0].applied.match_begin == 2);
  CHECK(steps[1].transform == 2);
  CHECK(steps[1].after == "x.c");
}

TEST_CASE("property: what is asked for besides the name does not change it") {
  const auto part = rc::gen::element<std::string>("a", "b", "c", ".", ".", "1", "é", "norm0", "norm1");
  const auto list = rules(R"([{"type":"WeightRenaming","source_patterns":"a\\.","target_patterns":"b.c."},
      {"type":"GroupWeightRename","source_patterns":["norm0","norm1"],"target_patterns":["norm1","norm2"]},
      {"type":"WeightConverter","source_patterns":["b","c"],"target_patterns":"bc","operations":[{"type":"Chunk"}]}])");
  CHECK(rc::check([&] {
    Keys keys;
    for (const auto& parts : *rc::gen::container<std::vector<std::vector<std::string>>>(
             rc::gen::container<std::vector<std::string>>(part))) {
      keys.emplace_back();
      for (const auto& text : parts) keys.back() += text;
    }
    const Renaming renaming(list, {});
    PlainRun plain(renaming), traced(renaming);
    for (const auto& key : keys) {
      RenameOutcome outcome;
      std::vector<RenameStep> steps;
      const auto name = plain.rename(key);
      RC_ASSERT(traced.rename(key, &outcome, &steps) == name);
      std::erase_if(steps, [](const RenameStep& step) { return !step.armed; });  // they did nothing
      RC_ASSERT(steps.size() == outcome.transforms.size());
      std::string last = key;
      for (const auto& step : steps) {
        RC_ASSERT(step.before == last);
        last = step.after;
      }
      RC_ASSERT(last == name);
    }
    RC_ASSERT(plain.used() == traced.used());
  }));
}
