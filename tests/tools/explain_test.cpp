#include <doctest/doctest.h>

#include <fstream>

#include "support/shard_builder.h"
#include "tools/golden.h"

using keyshift::test::check_golden;
using keyshift::test::InSampleFolder;
using keyshift::test::run_command;
using keyshift::test::transcript;
using keyshift::test::transcripts;

namespace {

void write(const std::string& file, const std::string& text) { std::ofstream(file) << text; }

}  // namespace

TEST_CASE("explain marks under the key what matched and what was put in its place") {
  InSampleFolder folder;
  check_golden("explain",
               transcripts({{"explain", "language_model.model.norm.weight", "--transforms",
                             "sample/transforms.json", "--rename", "norm=>last_norm"},
                            {"explain", "model.language_model.norm.weight", "sample", "--transforms",
                             "sample/transforms.json", "--direction", "save", "-q"},
                            {"explain", "nothing.matches", "--rename", "a=>b"},
                            {"explain", "m.w", "--remove-prefix", "m", "--add-prefix", "m", "--json"}}));
}

TEST_CASE("explain tells a match from the place that is replaced, and a match of nothing") {
  check_golden(
      "explain-places",
      transcripts({{"explain", "psp.bn.x.bn.weight", "--rename", R"((?<!psp\.)bn\.=>normalization.)"},
                   {"explain", "a.b", "--rename", "=>front."},
                   {"explain", "a.b", "--rename", R"((?<=\.)=>x)"},
                   {"explain", "a.b", "--rename", R"(\.b=>)"},
                   {"explain", "tab\there.é", "--rename", "é=>e"},
                   {"explain", "é.b.é", "--json", "--rename", R"((?<=\.)é=>ü)"}}));
}

TEST_CASE("explain shows the loader's own steps and the converter that fires") {
  InSampleFolder folder;
  write("rules.json", R"({"schema": "weight-transforms/1", "base_model_prefix": "model", "transforms": [
    {"type": "WeightRenaming", "source_patterns": "^norm", "target_patterns": "ln"},
    {"type": "WeightConverter", "source_patterns": ["experts.*.w1.weight", "experts.*.w3.weight"],
     "target_patterns": ["experts.gate_up_proj"],
     "operations": [{"type": "MergeModulelist", "dim": 0}, {"type": "Concatenate", "dim": 1}]},
    {"type": "WeightConverter", "source_patterns": "w3.weight", "target_patterns": "w3",
     "operations": [{"type": "Transpose"}]}]})");
  write("target.json", R"(["norm.b", "model.norm.w", "model.experts.gate_up_proj"])");
  const std::vector<std::string> options = {"--transforms", "rules.json", "--target", "target.json"};
  const auto explained = [&](const std::string& key, bool json) {
    std::vector<std::string> line = {"explain", key};
    line.insert(line.end(), options.begin(), options.end());
    if (json) line.emplace_back("--json");
    return transcript(line);
  };
  check_golden("explain-target", explained("experts.7.w3.weight", false) + explained("norm.w", false) +
                                     explained("norm.b", false) + explained("model.norm.w", true) +
                                     transcript({"explain", "module._orig_mod.a", "--strip-wrappers"}));
}

TEST_CASE("explain says that a group waits for its guard, and runs it over all keys where there is a PATH") {
  InSampleFolder folder;
  write("rules.json", R"([{"type": "GroupWeightRename", "source_patterns": ["norm0", "norm1"],
                           "target_patterns": ["norm1", "norm2"]}])");
  write("two.safetensors", keyshift::test::shard_of({{"a.norm0.w", "1"}, {"a.norm1.w", "2"}}));
  check_golden("explain-groups",
               transcripts({{"explain", "a.norm1.w", "--transforms", "rules.json"},
                            {"explain", "a.norm1.w", "--transforms", "rules.json", "--json", "-q"},
                            {"explain", "a.norm1.w", "two.safetensors", "--transforms", "rules.json"},
                            {"explain", "b.norm1.w", "two.safetensors", "--transforms", "rules.json"}}));
}

TEST_CASE("explain wants a key, of valid UTF-8") {
  check_golden("explain-refused",
               transcripts({{"explain"}, {"explain", "a\xff"}, {"explain", "a", "b", "c"}}));
}
