#include <doctest/doctest.h>

#include <fstream>
#include <string>

#include "tools/golden.h"

using keyshift::test::check_golden;
using keyshift::test::InSampleFolder;
using keyshift::test::run_command;
using keyshift::test::transcript;

TEST_CASE("lines come out in input order, with a final newline or without") {
  CHECK(run_command({"rename", "--rename", "b=>c"}, "b\na\nb.b").out == "b\tc\na\ta\nb.b\tc.b\n");
  CHECK(run_command({"rename"}, "a\n").out == "a\ta\n");
  CHECK(run_command({"rename"}, "").out.empty());
  CHECK(run_command({"rename"}, "\n").out == "\t\n");
}

TEST_CASE("files come first, then options in the order given") {
  InSampleFolder folder;
  std::ofstream("rules.json")
      << R"([{"type": "WeightRenaming", "source_patterns": "^a", "target_patterns": "b"}])";
  const auto renamed = [](const std::vector<std::string>& options) {
    std::vector<std::string> line = {"rename", "--transforms", "rules.json"};
    line.insert(line.end(), options.begin(), options.end());
    return run_command(line, "a.w").out;
  };
  CHECK(renamed({}) == "a.w\tb.w\n");
  CHECK(renamed({"--rename", "^b=>c", "--add-prefix", "x"}) == "a.w\tx.c.w\n");
  CHECK(renamed({"--add-prefix", "x", "--rename", "^b=>c"}) == "a.w\tx.b.w\n");
  CHECK(renamed({"--add-prefix", "x", "--remove-prefix", "x", "--rename=^b=>c"}) == "a.w\tc.w\n");
  CHECK(run_command({"rename", "--add-prefix", "x", "--transforms", "rules.json"}, "a.w").out ==
        "a.w\tx.b.w\n");
}

TEST_CASE("wrappers are stripped first of all") {
  CHECK(run_command({"rename", "--strip-wrappers", "--rename", "^a=>b"}, "module._orig_mod.a.w").out ==
        "module._orig_mod.a.w\tb.w\n");
}

TEST_CASE("keys that collide are written, told on stderr, and the exit code is 1") {
  const std::string lines = transcript({"rename", "--rename", "^[abc]$=>x"}, "a\nd\nb\nc\nb\n");
  check_golden("rename-collisions", lines + transcript({"rename", "--json", "--rename", "^[abc]$=>x"},
                                                       R"(["a", "d", "b", "c", "b"])"));
}

TEST_CASE("a key that is given twice collides with nothing") {
  CHECK(run_command({"rename"}, "a\na\n").code == 0);
}

TEST_CASE("more collisions than can be read are counted") {
  std::string keys;
  for (char c = 'a'; c <= 'z'; ++c) keys += std::string(1, c) + ".0\n" + c + ".1\n";
  check_golden("rename-many-collisions", transcript({"rename", "--rename", "[.][01]=>"}, keys));
}

TEST_CASE("JSON tells transforms, converter and used-flags") {
  InSampleFolder folder;
  std::ofstream("rules.json") << R"([
    {"type": "WeightRenaming", "source_patterns": "^a", "target_patterns": "b"},
    {"type": "WeightRenaming", "source_patterns": "nowhere", "target_patterns": "b"},
    {"type": "WeightConverter", "source_patterns": ["experts.*.w1.weight", "experts.*.w3.weight"],
     "target_patterns": ["experts.gate_up_proj"],
     "operations": [{"type": "MergeModulelist", "dim": 0}, {"type": "Concatenate", "dim": 1}]}])";
  check_golden(
      "rename-json",
      transcript({"rename", "--json", "--transforms", "rules.json"},
                 "[\"a.w\", \"x\", \"a.experts.0.w1.weight\", \"tab\\there\", \"\\u00e9\\ud83d\\ude00\"]"));
}

TEST_CASE("input that is no list of keys exits 3 with its place") {
  std::string all = transcript({"rename"}, "a\nb\tc\n");
  all += transcript({"rename"}, "a\r\n");
  all += transcript({"rename"}, "a\n\xff\n");
  all += transcript({"rename", "--json"}, "");
  all += transcript({"rename", "--json"}, "{\"a\": 1}");
  all += transcript({"rename", "--json"}, "[\"a\", 1]");
  all += transcript({"rename", "--json"}, "[\"a\", \"\\ud800\"]");
  all += transcript({"rename", "--json"}, "[\"a\"");
  all += transcript({"rename", "--json"}, "[\"\xff\"]");
  check_golden("rename-bad-input", all);
}

TEST_CASE("a new key that no file can hold exits 3, unless it was that already") {
  std::string all = transcript({"rename", "--rename", "^a=>"}, "a\n");
  all += transcript({"rename", "--rename", "^a=>__metadata__"}, "a\n");
  all += transcript({"rename", "--rename", "^a=>b"}, "__metadata__\n\n");
  all += transcript({"rename", "--rename", "^a=>b\tc"}, "x\na\n");
  check_golden("rename-unwritable", all);
}

TEST_CASE("--target reports missing and unexpected keys and exits 0") {
  InSampleFolder folder;
  std::ofstream("target.json") << R"(["b.w", ["c", "BF16", [1]], "d1", "d2", "d3", "d4", "d5"])";
  std::string all = transcript({"rename", "--rename", "^a=>b", "--target", "target.json"}, "a.w\ne\n");
  all += transcript({"rename", "--json", "--rename", "^a=>b", "--target", "target.json"}, R"(["a.w", "e"])");
  all += transcript({"rename", "--target", "sample", "-q"}, "language_model.lm_head.weight\n");
  std::ofstream("wrong.json") << "[1]";
  all += transcript({"rename", "--target", "wrong.json"}, "");
  std::ofstream("wrong.json") << "[[]]";
  all += transcript({"rename", "--target", "wrong.json"}, "");
  std::ofstream("wrong.json") << "[[1, \"BF16\"]]";
  all += transcript({"rename", "--target", "wrong.json"}, "");
  all += transcript({"rename", "--target", "nowhere.json"}, "");
  check_golden("rename-target", all);
}

TEST_CASE("a save reverses what --used says") {
  InSampleFolder folder;
  std::ofstream("rules.json") << R"([
    {"type": "WeightRenaming", "source_patterns": "^a", "target_patterns": "b"},
    {"type": "PrefixChange", "prefix_to_remove": "m"}])";
  const auto saved = [](const std::string& used) {
    return run_command({"rename", "--transforms", "rules.json", "--direction", "save", "--used", used}, "b.w")
        .out;
  };
  CHECK(saved("all") == "b.w\tm.b.w\n");
  CHECK(saved("fresh") == "b.w\ta.w\n");
  CHECK(run_command({"rename", "--transforms", "rules.json", "--direction", "save"}, "b.w").out ==
        "b.w\ta.w\n");
}

TEST_CASE("files of one model must agree on its base_model_prefix") {
  InSampleFolder folder;
  std::ofstream("a.json")
      << R"({"schema": "weight-transforms/1", "base_model_prefix": "model", "transforms": []})";
  std::ofstream("b.json")
      << R"({"schema": "weight-transforms/1", "base_model_prefix": "bert", "transforms": []})";
  CHECK(run_command({"rename", "--transforms", "a.json", "--transforms", "a.json"}).code == 0);
  check_golden("rename-two-models",
               transcript({"rename", "--transforms", "a.json", "--transforms", "b.json"}));
}

TEST_CASE("--compare agrees, and a terminal is told that keys are awaited") {
  check_golden("rename-compare",
               transcript({"rename", "--compare", "--rename", "layers.1=>layer.one"},
                          "layers.0.w\nlayers.1.w\nlayers.11.w\n", {.in_is_terminal = true}));
}

TEST_CASE("a large input comes out whole") {
  std::string keys, wanted;
  for (int i = 0; i < 200'000; ++i) {
    const std::string number = std::to_string(i);
    keys += "model.layers." + number + ".weight\n";
    wanted += "model.layers." + number + ".weight\tlm.layers." + number + ".weight\n";
  }
  const auto ran = run_command({"rename", "--rename", "^model=>lm"}, keys);
  CHECK(ran.code == 0);
  CHECK((ran.out == wanted));
}

TEST_CASE("more lines than fit into one block come out whole") {
  std::string keys, lines;
  for (int i = 0; i < 60'000; ++i) {
    const std::string key = "model.layers." + std::to_string(i) + ".weight";
    keys += key + '\n';
    lines += key + "\tm" + key.substr(5) + '\n';
  }
  CHECK(run_command({"rename", "--rename", "^model=>m"}, keys).out == lines);
}

TEST_CASE("what a mapping drops has no new name, and is left out of what is written") {
  InSampleFolder folder;
  std::ofstream("mapping.json") << R"({"dialect": "sglang-weights-mapper",
    "orig_to_new_prefix": {"language_model.": "lm.", "vision_tower.": null}})";
  std::string all =
      transcript({"rename", "--transforms", "mapping.json"}, "language_model.a\nvision_tower.a\nb\n");
  all += transcript({"rename", "--json", "--transforms", "mapping.json"},
                    R"(["vision_tower.a", "vision_tower.b"])");
  all += transcript({"explain", "vision_tower.a", "--transforms", "mapping.json"});
  all += transcript({"explain", "vision_tower.a", "--transforms", "mapping.json", "--json"});
  all += transcript({"lint", "sample", "--transforms", "mapping.json"});
  all += transcript({"convert", "sample", "new", "--transforms", "mapping.json", "--json"});
  all += transcript({"verify", "sample", "new"});
  all += transcript({"convert", "new", "back", "--direction", "save"});
  all += transcript({"revert", "new", "back"});
  check_golden("rename-dialect", all);
}
