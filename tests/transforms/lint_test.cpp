#include "transforms/lint.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <initializer_list>

#include "transforms/transform_file.h"

using keyshift::Direction;
using keyshift::Interrupt;
using keyshift::lint_names;
using keyshift::LintFinding;
using keyshift::LintKind;
using keyshift::parse_rename_option;
using keyshift::Renaming;
using keyshift::RenamingOptions;
using keyshift::TransformList;
using keyshift::UsedTransforms;

namespace {

using Keys = std::vector<std::string>;
using Numbers = std::vector<std::uint32_t>;

TransformList renames(std::initializer_list<const char*> options) {
  TransformList list;
  for (const char* option : options) list.transforms.push_back(parse_rename_option(option));
  return list;
}

std::vector<LintFinding> lint(const TransformList& list, const Keys& keys, RenamingOptions options = {},
                              bool all = true) {
  const std::vector<std::string_view> views(keys.begin(), keys.end());
  return lint_names({list, options, views, all}, Interrupt());
}

RenamingOptions save(UsedTransforms::Which which = UsedTransforms::Which::all) {
  RenamingOptions options;
  options.direction = Direction::save;
  options.used.which = which;
  return options;
}

std::vector<LintFinding> only(std::vector<LintFinding> findings, LintKind kind) {
  std::erase_if(findings, [&](const LintFinding& finding) { return finding.kind != kind; });
  return findings;
}

const char* const kMoe = R"([
  {"type": "WeightRenaming", "source_patterns": "block_sparse_moe", "target_patterns": "mlp"},
  {"type": "WeightConverter", "source_patterns": ["experts.*.w1.weight", "experts.*.w3.weight"],
   "target_patterns": "experts.gate_up_proj",
   "operations": [{"type": "MergeModulelist", "dim": 0}, {"type": "Concatenate", "dim": 1}]},
  {"type": "WeightConverter", "source_patterns": "qkv", "target_patterns": ["q_proj", "k_proj", "v_proj"],
   "operations": [{"type": "Chunk", "dim": 0}]}])";
const Keys kMoeKeys = {"layers.0.block_sparse_moe.experts.0.w1.weight",
                       "layers.0.block_sparse_moe.experts.7.w1.weight",
                       "layers.0.block_sparse_moe.experts.0.w3.weight", "layers.0.qkv.weight"};

}  // namespace

TEST_CASE("a list without a fault has no finding") {
  CHECK(lint(renames({"^lm=>model"}), {"lm.a", "lm.b", "x"}).empty());
}

TEST_CASE("two keys that become one are a collision, told once for all of their kind") {
  const auto found =
      only(lint(renames({"[ab]$=>x"}), {"0.a", "0.b", "1.a", "1.b", "0.b"}), LintKind::collision);
  REQUIRE(found.size() == 1);
  CHECK(found[0].keys == Keys{"0.a", "0.b", "0.x"});
  CHECK(found[0].count == 2);
  CHECK(found[0].transforms == Numbers{0});
  CHECK(found[0].message == "two keys become one");
}

TEST_CASE("what a converter merges or splits is no collision and comes home, in both directions") {
  const TransformList list = keyshift::parse_transforms(kMoe, "r.json");
  CHECK(lint(list, kMoeKeys).empty());
  const Keys model = {"layers.0.mlp.experts.gate_up_proj", "layers.0.q_proj.weight", "layers.0.k_proj.weight",
                      "layers.0.v_proj.weight"};
  CHECK(lint(list, model, save()).empty());
}

TEST_CASE("two keys in one place of a converter are a collision") {
  const TransformList list = keyshift::parse_transforms(kMoe, "r.json");
  Keys keys = kMoeKeys;
  keys.emplace_back("layers.0.mlp.experts.0.w1.weight");
  const auto found = only(lint(list, keys), LintKind::collision);
  REQUIRE(found.size() == 1);
  CHECK(found[0].keys == Keys{kMoeKeys[0], keys.back(), "layers.0.mlp.experts.0.w1.weight"});
}

TEST_CASE("a transform that matches no key is unused, unless the keys are mere examples") {
  const auto found = lint(renames({"^lm=>model", "nowhere=>x"}), {"lm.a"});
  REQUIRE(found.size() == 1);
  CHECK(found[0].kind == LintKind::unused);
  CHECK(found[0].transforms == Numbers{1});
  CHECK(found[0].keys.empty());
  CHECK(lint(renames({"^lm=>model", "nowhere=>x"}), {"lm.a"}, {}, false).empty());
}

TEST_CASE("a second load that changes keys is found") {
  const auto found = lint(renames({"post=>mlp.post"}), {"0.post.w", "1.post.w", "x"});
  REQUIRE(found.size() == 1);
  CHECK(found[0].kind == LintKind::not_idempotent);
  CHECK(found[0].keys == Keys{"0.post.w", "0.mlp.post.w", "0.mlp.mlp.post.w"});
  CHECK(found[0].count == 2);
}

TEST_CASE("with the target's keys a second load changes nothing") {
  auto target = std::make_shared<keyshift::TargetKeys>();
  target->keys = {"0.mlp.post.w"};
  RenamingOptions options;
  options.target = target;
  CHECK(lint(renames({"post=>mlp.post"}), {"0.post.w"}, options).empty());
}

TEST_CASE("a way back that leads elsewhere is found, there and back") {
  const auto found =
      only(lint(renames({"gamma=>weight", "^x=>y"}), {"a.gamma", "b.weight", "x"}), LintKind::not_reversible);
  REQUIRE(found.size() == 1);
  CHECK(found[0].keys == Keys{"b.weight", "b.weight", "b.gamma"});
  CHECK(found[0].transforms == Numbers{0});
}

TEST_CASE("a transform that has no reverse is not reversible") {
  const auto found = only(lint(renames({"a=>b", R"((\d+)=>\1\1)"}), {"1", "a"}), LintKind::not_reversible);
  REQUIRE(found.size() == 1);
  CHECK(found[0].transforms == Numbers{1});
  CHECK(found[0].keys.empty());
  CHECK(found[0].message.starts_with("this WeightRenaming cannot be reversed for saving: source pattern "));
}

TEST_CASE("on save, a load that needs the model's keys is told from one that loses them") {
  const TransformList list = renames({"ln=>mlp.ln"});
  const auto found = lint(list, {"a.mlp.ln", "b.ln"}, save());
  REQUIRE(only(found, LintKind::needs_target).size() == 1);
  CHECK(only(found, LintKind::needs_target)[0].keys == Keys{"b.ln", "b.ln", "b.mlp.ln"});
  CHECK(only(found, LintKind::not_reversible).empty());
  const auto lost = only(lint(list, {"mlp.ln", "ln"}, save()), LintKind::not_reversible);
  REQUIRE(lost.size() == 1);
  CHECK(lost[0].keys == Keys{"ln", "ln", "mlp.ln"});
}

TEST_CASE("a PrefixChange that acts needs a receipt on the way back") {
  TransformList list;
  list.transforms = {keyshift::remove_prefix_option("m")};
  const auto found = lint(list, {"m.a", "m.b"});
  REQUIRE(found.size() == 1);
  CHECK(found[0].kind == LintKind::needs_receipt);
  CHECK(found[0].keys == Keys{"m.a", "a", "a"});
  CHECK(found[0].count == 2);
  const auto saved = only(lint(list, {"a"}, save()), LintKind::needs_receipt);
  REQUIRE(saved.size() == 1);
  CHECK(saved[0].keys == Keys{"a", "m.a", "a"});
  CHECK(only(lint(list, {"a"}, save(UsedTransforms::Which::fresh)), LintKind::needs_receipt).empty());
}

TEST_CASE("two transforms whose order decides are found with what either order gives") {
  const auto found = only(lint(renames({"a=>b", "q=>r", "b=>c"}), {"a", "q"}), LintKind::order_dependent);
  REQUIRE(found.size() == 1);
  CHECK(found[0].transforms == Numbers{0, 2});
  CHECK(found[0].keys == Keys{"a", "c", "b"});
  CHECK(only(lint(renames({"b=>c", "q=>r", "a=>b"}), {"a", "q"}), LintKind::order_dependent).size() == 1);
  CHECK(only(lint(renames({"a=>b", "c=>d"}), {"a.c", "c.a"}), LintKind::order_dependent).empty());
}

TEST_CASE("of two converters that match a key the order decides") {
  const TransformList list = keyshift::parse_transforms(R"([
    {"type": "WeightConverter", "source_patterns": "a", "target_patterns": "x", "operations": [{"type": "Transpose"}]},
    {"type": "WeightConverter", "source_patterns": "b", "target_patterns": "y", "operations": [{"type": "Transpose"}]}])",
                                                        "r.json");
  const auto found = only(lint(list, {"a.b"}), LintKind::order_dependent);
  REQUIRE(found.size() == 1);
  CHECK(found[0].keys == Keys{"a.b", "x.b", "a.y"});
}

TEST_CASE("a key at which the run stops, and one that no file can hold, are findings") {
  const auto stops = lint(renames({R"((?:x(\d))?a=>\1)"}), {"a", "b"});
  REQUIRE_FALSE(stops.empty());
  CHECK(stops[0].kind == LintKind::fails);
  CHECK(stops[0].keys == Keys{"a"});
  CHECK(stops[0].message.starts_with("the target asks for \\1, but nothing matched the group"));
  const auto lost = only(lint(renames({"^a=>"}), {"a", "b"}), LintKind::unwritable);
  REQUIRE(lost.size() == 1);
  CHECK(lost[0].keys == Keys{"a", ""});
}

TEST_CASE("groups see the whole table in its order") {
  const TransformList list = keyshift::parse_transforms(R"([{"type": "GroupWeightRename",
    "source_patterns": ["norm0", "norm1"], "target_patterns": ["norm1", "norm2"]}])",
                                                        "r.json");
  CHECK(only(lint(list, {"a.norm1.w", "a.norm0.w"}), LintKind::collision).empty());
  CHECK(only(lint(list, {"a.norm1.w", "a.norm0.w"}), LintKind::not_reversible).empty());
}

TEST_CASE("keys are made from patterns: texts, alternatives, stars, numbers, anchors, scopes") {
  const auto made = [](const TransformList& list) { return keyshift::example_keys(Renaming(list, {})); };
  CHECK(made(renames({"^lm\\.model=>x"})) == Keys{"lm.model.weight"});
  CHECK(made(renames({"gamma|beta$=>x"})) == Keys{"model.layers.0.gamma.weight", "model.layers.0.beta"});
  CHECK(made(renames({R"(blocks\.(\d+)\.w=>x)"})) ==
        Keys{"model.layers.0.blocks.0.w.weight", "model.layers.0.blocks.1.w.weight"});
  CHECK(made(renames({R"((?<=up\.)w(_x)?=>y)"})) ==
        Keys{"model.layers.0.up.w_x.weight", "model.layers.0.up.w.weight"});
  CHECK(made(keyshift::parse_transforms(R"([{"type": "WeightRenaming", "source_patterns": "^a",
    "target_patterns": "b", "scope_prefix": "vision", "base_model_prefix": "model"}])",
                                        "r.json")) == Keys{"vision.a.weight"});
  CHECK(made(keyshift::parse_transforms(kMoe, "r.json")).size() == 6);
}

TEST_CASE("a pattern that no key is found for makes none") {
  CHECK(keyshift::example_keys(Renaming(renames({R"(a(?=b)c=>x)"}), {})).empty());
  CHECK(keyshift::example_keys(Renaming(renames({R"((a|b|c|d|e)(a|b|c|d|e)(a|b|c|d|e)=>x)"}), {})).size() <=
        32);
}

TEST_CASE("a lint can be interrupted") {
  Interrupt interrupt;
  interrupt.request();
  const std::vector<std::string_view> keys = {"a"};
  const TransformList list = renames({"a=>b"});
  const RenamingOptions options;
  CHECK_THROWS_AS(static_cast<void>(lint_names({list, options, keys, true}, interrupt)), keyshift::Error);
}
