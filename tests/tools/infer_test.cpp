#include <doctest/doctest.h>

#include <filesystem>

#include "tools/golden.h"

using keyshift::test::check_golden;
using keyshift::test::InSampleFolder;
using keyshift::test::run_command;
using keyshift::test::transcripts;

TEST_CASE("infer finds transforms that convert and verify prove") {
  InSampleFolder folder;
  REQUIRE(run_command({"convert", "sample", "new", "--transforms", "sample/transforms.json"}).code == 0);
  check_golden("infer", transcripts({{"infer", "sample", "new"},
                                     {"infer", "sample", "new", "-o", "rules.json"},
                                     {"infer", "sample", "new", "-o", "rules.json"},
                                     {"verify", "sample", "new", "--transforms", "rules.json"},
                                     {"infer", "sample", "sample", "--json"}}));
}

TEST_CASE("infer lists what it cannot explain, and exits 1") {
  InSampleFolder folder;
  check_golden("infer-unexplained", transcripts({{"infer", "sample/model-00003-of-00003.safetensors",
                                                  "sample/model-00002-of-00003.safetensors", "--json"},
                                                 {"infer", "sample/model-00001-of-00003.safetensors",
                                                  "sample/model-00002-of-00003.safetensors"}}));
}
