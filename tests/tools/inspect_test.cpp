#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "tools/golden.h"

using keyshift::test::check_golden;
using keyshift::test::InSampleFolder;
using keyshift::test::run_command;
using keyshift::test::transcript;

TEST_CASE("inspect shows a summary and the folded tree") {
  InSampleFolder folder;
  check_golden("inspect-sample", transcript({"inspect", "sample"}));
}

TEST_CASE("inspect shows one file with its path") {
  InSampleFolder folder;
  check_golden("inspect-file", transcript({"inspect", "sample/model-00002-of-00003.safetensors"}));
}

TEST_CASE("colours change nothing but colours") {
  InSampleFolder folder;
  check_golden("inspect-colour",
               transcript({"inspect", "sample/model-00002-of-00003.safetensors"}, {}, {.colour = true}));
}

TEST_CASE("inspect --keys is a line for each key, fit for cut") {
  InSampleFolder folder;
  check_golden("inspect-keys", transcript({"inspect", "sample", "--keys"}));
}

TEST_CASE("inspect --json follows keyshift-inspect/1") {
  InSampleFolder folder;
  check_golden("inspect-json", transcript({"inspect", "sample", "--json"}));
}

TEST_CASE("warnings go to stderr, unless --quiet") {
  InSampleFolder folder;
  // An index that does not list a key of its shard, and a wrong total_size.
  std::filesystem::remove("sample/model.safetensors.index.json");
  std::ofstream("sample/model.safetensors.index.json")
      << R"({"metadata": {"total_size": 1}, "weight_map": {"language_model.lm_head.weight": "model-00003-of-00003.safetensors"}})";
  const auto loud = run_command({"inspect", "sample", "--keys"});
  CHECK(loud.code == 0);
  CHECK(loud.err.starts_with("keyshift: warning: "));
  const auto quiet = run_command({"inspect", "sample", "--keys", "-q"});
  CHECK(quiet.err.empty());
  CHECK(quiet.out == loud.out);
  check_golden("inspect-warnings", transcript({"inspect", "sample"}));
}
