#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "support/temporary_folder.h"
#include "tools/golden.h"

namespace fs = std::filesystem;
using keyshift::test::check_golden;
using keyshift::test::InSampleFolder;
using keyshift::test::run_command;
using keyshift::test::transcript;
using keyshift::test::transcripts;

namespace {

void flip_last_byte(const fs::path& path) {
  std::string bytes = keyshift::test::read_file(path);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace

TEST_CASE("verify finds a byte, a file and a name that differ, and exits 1") {
  InSampleFolder folder;
  REQUIRE(run_command({"convert", "sample", "new", "--transforms", "sample/transforms.json"}).code == 0);
  flip_last_byte("new/model-00002-of-00003.safetensors");
  std::ofstream("new/config.json") << "{}";
  check_golden("verify-differs", transcripts({{"verify", "sample", "new"},
                                              {"verify", "sample", "new", "--json"},
                                              {"verify", "sample", "new", "-q"},
                                              {"verify", "sample/model-00001-of-00003.safetensors",
                                               "sample/model-00002-of-00003.safetensors"}}));
}

TEST_CASE("verify goes by the options if there are any, else by the receipt") {
  InSampleFolder folder;
  REQUIRE(run_command({"convert", "sample", "new", "--add-prefix", "m"}).code == 0);
  CHECK(run_command({"verify", "sample", "new"}).code == 0);
  CHECK(run_command({"verify", "sample", "new", "--add-prefix", "m"}).code == 0);
  CHECK(run_command({"verify", "sample", "new", "--add-prefix", "n"}).code == 1);
  REQUIRE(run_command({"convert", "new", "back", "--direction", "save"}).code == 0);
  CHECK(run_command({"verify", "new", "back"}).code == 0);
  CHECK(run_command({"verify", "new", "back", "--direction", "save"}).code == 0);
  CHECK(run_command({"verify", "sample", "back", "--rename", "a=>a"}).code == 0);
}

TEST_CASE("roundtrip shows digests, and what does not come home") {
  InSampleFolder folder;
  std::string all = transcript({"roundtrip", "sample", "--transforms", "sample/transforms.json"});
  all += transcript({"roundtrip", "sample", "--transforms", "sample/transforms.json", "--json"});
  // Two ways in, one way back.
  all += transcript({"roundtrip", "sample/model-00003-of-00003.safetensors", "--rename", "^language_model=>m",
                     "--rename", "^(m.lm_head|m.model.norm)=>m.x"});
  check_golden("roundtrip", all);
}

TEST_CASE("roundtrip exits 1 where a key comes back under another name") {
  InSampleFolder folder;
  std::vector<std::string> line = {"roundtrip", "sample",
                                   "--rename",  "vision_tower.vision_model=>vision_tower",
                                   "--rename",  "embed_tokens=>vision_tower"};
  const std::string loud = transcript(line);
  line.emplace_back("-q");
  check_golden("roundtrip-differs", loud + transcript(line));
}
