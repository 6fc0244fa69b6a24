#include <doctest/doctest.h>

#include <filesystem>

#include "support/temporary_folder.h"
#include "tools/golden.h"

namespace fs = std::filesystem;
using keyshift::test::check_golden;
using keyshift::test::InSampleFolder;
using keyshift::test::read_file;
using keyshift::test::transcript;
using keyshift::test::transcripts;

TEST_CASE("reindex writes what is missing, mends what is wrong and leaves alone what is right") {
  InSampleFolder folder;
  const fs::path index = "sample/model.safetensors.index.json";
  const std::string before = read_file(index);
  std::string all = transcript({"reindex", "sample"});
  fs::remove(index);
  all += transcripts({{"reindex", "sample"}, {"reindex", "sample", "--json"}});
  const std::string shard = "model-00001-of-00003.safetensors";
  std::ofstream(index) << R"({"weight_map": {"a": ")" << shard << R"("}})";
  all += transcript({"reindex", "sample"});
  CHECK(read_file(index) == before);
  std::ofstream(index)
      << R"({"metadata": {"total_size": 1}, "weight_map": {"a": ")" << shard
      << R"(", "b": "model-00002-of-00003.safetensors", "c": "model-00003-of-00003.safetensors"}})";
  all += transcripts({{"reindex", "sample"}, {"reindex", "sample/" + shard}});
  check_golden("reindex", all);
  CHECK(read_file(index) == before);
}
