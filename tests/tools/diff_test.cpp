#include <doctest/doctest.h>

#include <fstream>

#include "support/temporary_folder.h"
#include "tools/golden.h"

using keyshift::test::check_golden;
using keyshift::test::InSampleFolder;
using keyshift::test::run_command;
using keyshift::test::transcripts;

TEST_CASE("diff folds what differs in numbers only, and with the transforms finds nothing") {
  InSampleFolder folder;
  REQUIRE(run_command({"convert", "sample", "new", "--transforms", "sample/transforms.json"}).code == 0);
  check_golden("diff", transcripts({{"diff", "sample", "new"},
                                    {"diff", "sample", "new", "--transforms", "sample/transforms.json"},
                                    {"diff", "sample", "new", "-q"}}));
}

TEST_CASE("diff tells as JSON what a changed byte is, and exits 1") {
  InSampleFolder folder;
  REQUIRE(run_command({"convert", "sample", "new", "--transforms", "sample/transforms.json"}).code == 0);
  const std::string file = "new/model-00002-of-00003.safetensors";
  std::string bytes = keyshift::test::read_file(file);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  std::ofstream(file, std::ios::binary) << bytes;
  const std::vector<std::string> line = {"diff", "sample", "new", "--transforms", "sample/transforms.json"};
  std::vector<std::string> as_json = line;
  as_json.emplace_back("--json");
  check_golden("diff-changed", transcripts({line,
                                            as_json,
                                            {"diff", "sample/model-00001-of-00003.safetensors",
                                             "sample/model-00002-of-00003.safetensors"}}));
}
