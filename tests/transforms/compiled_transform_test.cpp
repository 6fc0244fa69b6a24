#include "transforms/compiled_transform.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "rename_all.h"
#include "support/error_text.h"

using namespace keyshift;
using namespace keyshift::test;

namespace {

Transform transform_of(std::vector<std::string> sources, std::vector<std::string> targets,
                       TransformType type = TransformType::WeightRenaming) {
  Transform out;
  out.type = type;
  out.source_patterns = std::move(sources);
  out.target_patterns = std::move(targets);
  out.place = "here";
  return out;
}

CompiledTransform compiled(std::vector<std::string> sources, std::vector<std::string> targets) {
  return CompiledTransform(transform_of(std::move(sources), std::move(targets)));
}

std::string target_of(std::string pattern) {
  return compiled({"x"}, {std::move(pattern)}).target_patterns()[0];
}

std::string alternation(std::vector<std::string> sources) {
  return compiled(std::move(sources), {"t"}).pattern().text();
}

std::string compile_error(Transform transform) {
  return error_text([&] { CompiledTransform(std::move(transform)); });
}

}  // namespace

// T5

TEST_CASE("a target pattern loses one leading ^") {
  CHECK(target_of("^a.b") == "a.b");
  CHECK(target_of("^^a") == "^a");
}

TEST_CASE("a target pattern loses lookarounds up to the next bracket, and one more that follows at once") {
  CHECK(target_of("(?!model\\.)lm") == "lm");
  CHECK(target_of("(?<!q)b(?=c)d") == "bd");
  CHECK(target_of("(?!\\.(a|b))c") == "c");
  CHECK(target_of("(?:b)") == "");
  CHECK(target_of("(?!(a)b)c") == "b)c");  // the first bracket ends it, nested or not
}

TEST_CASE("brackets with nothing between them, or over a line end, are no lookaround and no group") {
  CHECK(target_of("(?)a") == "\\1a");  // not (?…), but a group that holds a question mark
  CHECK(target_of("(?\n)a") == "(?\n)a");
  CHECK(target_of("b(") == "b(");
  CHECK(target_of("()a") == "()a");
}

TEST_CASE("the first group of a target becomes \\1, and escaped dots become dots outside of it") {
  CHECK(target_of("(enc|dec)oder\\.x") == "\\1oder.x");
  CHECK(target_of("a\\.(\\d+)\\.(b)") == "a.\\1.(b)");
  CHECK(target_of("(a)(a)") == "\\1(a)");
}

TEST_CASE("targets that hold different groups are refused") {
  CHECK(compile_error(transform_of({"a", "b"}, {"(x)", "(y)"})) ==
        "here: the target patterns hold different groups, \"(x)\" and \"(y)\": \\1 in a source pattern could "
        "not "
        "tell which one it stands for");
  CHECK(compile_error(transform_of({"a", "b"}, {"(x)", "(x)"})) == "no error");
}

// T6

TEST_CASE("\\1 in a source is filled with the targets' group, the first one only") {
  CHECK(compiled({"\\1.a.b"}, {"(enc|dec).c"}).source_patterns()[0] == "(enc|dec).a.b");
  CHECK(compile_error(transform_of({"x\\.\\1"}, {"y"})) ==
        "here: source pattern \"x\\.\\1\" asks for \\1, but no target pattern holds a group that could stand "
        "there");
}

TEST_CASE("a source takes the ^ of the target it is paired with") {
  CHECK(compiled({"a"}, {"^b"}).source_patterns()[0] == "^a");
  CHECK(compiled({"^a"}, {"^b"}).source_patterns()[0] == "^a");
  CHECK(compiled({"a", "c"}, {"b", "^d"}).source_patterns() == std::vector<std::string>{"a", "^c"});
  CHECK(compiled({"a", "c"}, {"^b"}).source_patterns() == std::vector<std::string>{"a", "c"});
}

TEST_CASE("a transform without patterns is refused") {
  CHECK(compile_error(transform_of({}, {"b"})) == "here: there is no source pattern");
  CHECK(compile_error(transform_of({"a"}, {})) == "here: there is no target pattern");
}

// T7

TEST_CASE("a source that ends in an ASCII letter or digit ends at the end of a name") {
  CHECK(alternation({"weight"}) == "(?P<g0>weight(?!\\w))");
  CHECK(alternation({"w1"}) == "(?P<g0>w1(?!\\w))");
  CHECK(alternation({"hc_"}) == "(?P<g0>hc_)");
  CHECK(alternation({"a\\."}) == "(?P<g0>a\\.)");
  CHECK(alternation({"é"}) == "(?P<g0>é)");
  CHECK(alternation({"a\n"}) == "(?P<g0>a\n(?!\\w))");
  CHECK(alternation({"a\n\n"}) == "(?P<g0>a\n\n)");
  CHECK(alternation({"\\d"}) == "(?P<g0>\\d(?!\\w))");
  CHECK(alternation({""}) == "(?P<g0>)");
}

TEST_CASE("a star before a dot means anything up to a dot") {
  CHECK(alternation({"experts.*.w1.weight"}) == "(?P<g0>experts..*\\.w1.weight(?!\\w))");
  CHECK(alternation({"a*."}) == "(?P<g0>a.*\\.)");
}

TEST_CASE("sources are tried longest first, in characters, and equal ones in their order") {
  CHECK(alternation({"weight", "weight.quant", "weight.absma"}) ==
        "(?P<g1>weight.quant(?!\\w))|(?P<g2>weight.absma(?!\\w))|(?P<g0>weight(?!\\w))");
  CHECK(alternation({"éé_", "abcd_"}) == "(?P<g1>abcd_)|(?P<g0>éé_)");  // five bytes each
  CHECK(load(R"([{"type":"WeightRenaming","source_patterns":["w","w.absmax"],"target_patterns":"x"}])",
             {"a.w", "a.w.absmax", "a.w.other"}) == Keys{"a.x", "a.x", "a.x.other"});
}

TEST_CASE("the leftmost match wins over a longer source that matches later") {
  CHECK(load(R"([{"type":"WeightRenaming","source_patterns":["k_long","q"],"target_patterns":"x"}])",
             {"q.k_long"}) == Keys{"x.k_long"});
}

// T8

TEST_CASE("what is replaced is the first occurrence of the matched text, not the match") {
  CHECK(load_one("(?<!psp\\.)bn\\.", "normalization.", "psp.bn.x.bn.weight") ==
        "psp.normalization.x.bn.weight");
  CHECK(load_one("conv(?!_)", "cv", "conv_1.conv.weight") == "cv_1.conv.weight");
  CHECK(load_one("a", "b", "aa.a") == "ba.a");
}

TEST_CASE("only one place is replaced") { CHECK(load_one("a\\.", "b.", "a.a.a") == "b.a.a"); }

TEST_CASE("a match of no characters puts the target in front") {
  CHECK(load_one("x*", "y", "abc") == "yabc");
  CHECK(load_one("", "x.", "") == "x.");
  CHECK(load_one("$", "y", "abc") == "yabc");
}

TEST_CASE("\\1 is what the first group of the source matched, everywhere in the target") {
  CHECK(load_one("layer(\\d+)\\.conv", "layers.\\1.convolution", "m.layer12.conv.w") ==
        "m.layers.12.convolution.w");
  CHECK(load_one("l(\\d+)", "\\1.\\1", "l7") == "7.7");
  CHECK(load_one("(a)\\.(b)", "\\1.\\2", "a.b") == "a.\\2");
  CHECK(load_one("(a)x", "\\10", "ax") == "a0");
  CHECK(load_one("((enc|dec)oder)", "\\1", "x.encoder") == "x.encoder");
}

TEST_CASE("\\1 of the second source is that source's group") {
  CHECK(
      load(
          R"j([{"type":"WeightRenaming","source_patterns":["enc_(.)_x","dec(.)"],"target_patterns":"\\1"}])j",
          {"enc_a_x", "decb"}) == Keys{"a", "b"});
}

TEST_CASE("a target that asks for a group that is not there, or took no part, stops the run") {
  CHECK(
      error_text([] { load_one("layers", "\\1", "x.layers"); }) ==
      "here: key \"x.layers\": the target asks for \\1, but there is no group in source pattern \"layers\"");
  CHECK(error_text([] { load_one("layers(\\.99)?_", "\\1", "x.layers_"); }) ==
        "here: key \"x.layers_\": the target asks for \\1, but nothing matched the group in source pattern "
        "\"layers(\\.99)?_\"");
  // The group behind the first source is the second source's own: it does not count.
  CHECK(error_text([] {
          load(R"j([{"type":"WeightRenaming","source_patterns":["abc","(d)"],"target_patterns":"\\1"}])j",
               {"abc"});
        }) ==
        "rules.json:1:2: key \"abc\": the target asks for \\1, but there is no group in source pattern "
        "\"abc\"");
}

TEST_CASE("the first target stands for all") {
  CHECK(load(R"([{"type":"WeightRenaming","source_patterns":"qkv","target_patterns":["q","k","v"]}])",
             {"l.qkv"}) == Keys{"l.q"});
}

TEST_CASE("apply tells where it matched and what it replaced") {
  const auto transform = compiled({"zzz", "(?<!p\\.)bn"}, {"norm"});
  std::string key = "p.bn.bn";
  bool armed = false;
  const auto applied = transform.apply(key, armed);
  REQUIRE(applied);
  CHECK(key == "p.norm.bn");
  CHECK(applied->source == 1);
  CHECK(applied->match_begin == 5);
  CHECK(applied->match_end == 7);
  CHECK(applied->replaced_at == 2);
  CHECK(applied->replacement_size == 4);
  CHECK_FALSE(transform.apply(key = "other", armed));
  CHECK(key == "other");
}

// T9

TEST_CASE("a scoped transform sees what follows the scope, with the base model's prefix or without") {
  const char* rules = R"([{"type":"WeightRenaming","source_patterns":"^a","target_patterns":"b",
                           "scope_prefix":"tower","base_model_prefix":"model"}])";
  CHECK(load(rules, {"model.tower.a", "tower.a", "a", "model.a", "x.tower.a", "towera", "tower"}) ==
        Keys{"model.tower.b", "tower.b", "a", "model.a", "x.tower.a", "towera", "tower"});
}

TEST_CASE("a match inside the scope does not look before it, and replaces behind it") {
  const char* rules =
      R"([{"type":"WeightRenaming","source_patterns":"a","target_patterns":"b","scope_prefix":"a"}])";
  CHECK(load(rules, {"a.x.a"}) == Keys{"a.x.b"});
}

TEST_CASE("an empty scope hides the base model's prefix, an absent scope hides nothing") {
  const std::string rest = R"("type":"WeightRenaming","source_patterns":"^a","target_patterns":"b")";
  CHECK(load("[{" + rest + R"(,"scope_prefix":"","base_model_prefix":"model"}])", {"model.a", "a"}) ==
        Keys{"model.b", "b"});
  CHECK(load("[{" + rest + R"(,"base_model_prefix":"model"}])", {"model.a", "a"}) == Keys{"model.a", "b"});
  CHECK(load("[{" + rest + R"(,"scope_prefix":null,"base_model_prefix":"model"}])", {"model.a"}) ==
        Keys{"model.a"});
}

TEST_CASE("places of a scoped match count from the start of the whole key") {
  Transform transform = transform_of({"bn"}, {"norm"});
  transform.scope_prefix = "tower";
  transform.base_model_prefix = "m";
  std::string key = "m.tower.bn";
  bool armed = false;
  const auto applied = CompiledTransform(transform).apply(key, armed);
  REQUIRE(applied);
  CHECK(applied->match_begin == 8);
  CHECK(applied->match_end == 10);
  CHECK(applied->replaced_at == 8);
}

// T11

TEST_CASE("a group renames nothing before its first source has matched") {
  const char* rules =
      R"([{"type":"GroupWeightRename","source_patterns":["norm0","norm1"],"target_patterns":["norm1","norm2"]}])";
  CHECK(load(rules, {"0.norm0", "0.norm1", "1.norm1"}) == Keys{"0.norm1", "0.norm2", "1.norm2"});
  CHECK(load(rules, {"0.norm1", "0.norm2"}) == Keys{"0.norm1", "0.norm2"});
  CHECK(load(rules, {"0.norm1", "1.norm0", "2.norm1"}) == Keys{"0.norm1", "1.norm1", "2.norm2"});
}

TEST_CASE("targets of a group count from their own source, any group of it, in digits of any script") {
  const char* rules = R"j([{"type":"GroupWeightRename","source_patterns":["a(\\d)(\\d)","b(.)(x)?"],
                           "target_patterns":["\\2\\1-\\٢","\\0\\1\\2!\\a\\"]}])j";
  CHECK(load(rules, {"a12", "bc."}) == Keys{"21-2", "bcc!\\a\\."});
}

TEST_CASE("a group that a source does not have stops the run") {
  const char* rules = R"([{"type":"GroupWeightRename","source_patterns":["a"],"target_patterns":["\\2"]}])";
  CHECK(error_text([&] { load(rules, {"a"}); }) ==
        "rules.json:1:2: key \"a\": target pattern \"\\2\" asks for \\2, a group that the source patterns do "
        "not "
        "have");
  const char* huge =
      R"([{"type":"GroupWeightRename","source_patterns":["a"],"target_patterns":["\\99999999999999999999"]}])";
  CHECK(error_text([&] { load(huge, {"a"}); }) != "no error");
}

TEST_CASE("a group's source without a target stops the run, if the file's strings hid that") {
  const char* rules = R"([{"type":"GroupWeightRename","source_patterns":["a","b"],"target_patterns":"xy"}])";
  CHECK(load(rules, {"a"}) == Keys{"xy"});
  CHECK(error_text([&] {
          load(rules, {"a", "b"});
        }) == "rules.json:1:2: key \"b\": there is no target pattern for source pattern \"b\"");
}

// T16

TEST_CASE("an index offset moves the number that the group matched") {
  const char* rules = R"j([{"type":"Inkling2IndexOffsetWeightRename","source_patterns":"queries\\.([^.]+)",
                           "target_patterns":"layers.\\1.q\\1","offset":1}])j";
  CHECK(load(rules,
             {"queries.0", "m.queries.09.w", "queries.-1", "queries.٩", "queries.18446744073709551615"}) ==
        Keys{"layers.1.q1", "m.layers.10.q10.w", "layers.0.q0", "layers.10.q10",
             "layers.18446744073709551616.q18446744073709551616"});
  CHECK(error_text([&] { load(rules, {"queries.x"}); }) ==
        "rules.json:1:2: key \"queries.x\": the group in source pattern \"queries\\.([^.]+)\" matched \"x\", "
        "which "
        "is no whole number to add the offset to");
}

// T17

TEST_CASE("a prefix is added once and removed once, behind the model's prefix if there is one") {
  CHECK(
      load(R"([{"type":"PrefixChange","prefix_to_add":"model"}])", {"a.b", "model.a", "models.a", "model"}) ==
      Keys{"model.a.b", "model.a", "model.models.a", "model.model"});
  CHECK(load(R"([{"type":"PrefixChange","prefix_to_remove":"model"}])",
             {"model.model.a", "x.model.a", "model."}) == Keys{"model.a", "x.model.a", "model."});
  CHECK(load(R"([{"type":"PrefixChange","prefix_to_add":"lm","model_prefix":"model"}])",
             {"model.a", "model.lm.a", "a"}) == Keys{"model.lm.a", "model.lm.a", "a"});
  CHECK(load(R"([{"type":"PrefixChange","prefix_to_remove":"lm","model_prefix":"model"}])",
             {"model.lm.a", "lm.a"}) == Keys{"model.a", "lm.a"});
}

TEST_CASE("a dot in the prefix of a PrefixChange matches any character") {
  CHECK(load(R"([{"type":"PrefixChange","prefix_to_remove":"m.del"}])", {"mxdel.a"}) == Keys{"a"});
}

TEST_CASE("a PrefixChange that both adds and removes, or neither, is refused") {
  Transform transform;
  transform.type = TransformType::PrefixChange;
  transform.place = "here";
  const std::string message =
      "here: a PrefixChange takes exactly one of \"prefix_to_add\" and \"prefix_to_remove\"";
  CHECK(compile_error(transform) == message);
  transform.prefix_to_add = transform.prefix_to_remove = "a";
  CHECK(compile_error(transform) == message);
}

// T3

TEST_CASE("a converter that was not read from a file is checked all the same") {
  Transform transform = transform_of({"a"}, {"b"}, TransformType::WeightConverter);
  CHECK(compile_error(transform) == "here: a WeightConverter needs at least one operation");
  transform.operations = {{"Nope", {}}};
  CHECK(compile_error(transform).starts_with("here: unknown operation \"Nope\"; known are Chunk, "));
  transform.operations = {{"Conv3dToLinear", {}}};
  CHECK(compile_error(transform) == "here: Conv3dToLinear needs \"in_channels\"");
  transform.operations = {{"Chunk", {}}};
  transform.source_patterns = {"a", "c"};
  transform.target_patterns = {"b", "d"};
  CHECK(compile_error(transform) ==
        "here: 2 source patterns and 2 target patterns: with these operations a WeightConverter can only go "
        "from "
        "one to one, one to many or many to one");
}

TEST_CASE("a pattern that cannot be compiled is shown as its author wrote it") {
  CHECK(compile_error(transform_of({"abcdefg", "x(a"}, {"b"})) ==
        "here: source pattern \"x(a\": missing ), unterminated subpattern, at character 2");
  CHECK(compile_error(transform_of({"éa{2}{3}"}, {"b"})) ==
        "here: source pattern \"éa{2}{3}\": multiple repeat, at character 6");
}
