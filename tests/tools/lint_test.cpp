#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "tools/golden.h"

using keyshift::test::check_golden;
using keyshift::test::InSampleFolder;
using keyshift::test::transcripts;

namespace {

void write(const std::string& file, const std::string& text) { std::ofstream(file) << text; }

}  // namespace

TEST_CASE("lint tries patterns with keys that it makes of them") {
  InSampleFolder folder;
  check_golden(
      "lint-patterns",
      transcripts({{"lint", "--rename", "^lm=>model"},
                   {"lint", "--rename", "gamma=>weight", "--rename", "beta=>gamma", "--add-prefix", "m"},
                   {"lint", "--rename", "gamma|beta=>weight", "--json"},
                   {"lint", "--transforms", "sample/transforms.json", "--direction", "save"}}));
}

TEST_CASE("lint tries the keys of a checkpoint or of a file, and exits 1 when it finds something") {
  InSampleFolder folder;
  write("keys", "a.post.w\nb.post.w\nc\n");
  write("target.json", R"(["a.mlp.post.w", "b.mlp.post.w", "c"])");
  check_golden(
      "lint-keys",
      transcripts({{"lint", "sample", "--transforms", "sample/transforms.json"},
                   {"lint", "sample", "--rename", "nowhere=>x", "--rename", R"(layers\.\d+=>layers)"},
                   {"lint", "--keys", "keys", "--rename", "post=>mlp.post"},
                   {"lint", "--keys", "keys", "--rename", "post=>mlp.post", "--target", "target.json"},
                   {"lint", "--keys", "keys", "--rename", "post=>mlp.post", "--json"}}));
}

TEST_CASE("lint looks at index and shards, and at names where shards are missing") {
  InSampleFolder folder;
  std::filesystem::resize_file("sample/model-00002-of-00003.safetensors", 100);
  std::filesystem::remove("sample/model-00003-of-00003.safetensors");
  check_golden("lint-checkpoint", transcripts({{"lint", "sample"},
                                               {"lint", "sample", "--json"},
                                               {"lint", "sample", "--rename", "^vision_tower=>vision"},
                                               {"lint", "sample/model-00001-of-00003.safetensors"}}));
}

TEST_CASE("lint wants something to look at, and only one table of keys") {
  InSampleFolder folder;
  write("bad", "a\nb\tc\n");
  check_golden("lint-refused", transcripts({{"lint"},
                                            {"lint", "sample", "--keys", "keys"},
                                            {"lint", "--keys", "no-such-file", "--rename", "a=>b"},
                                            {"lint", "--keys", "bad", "--rename", "a=>b"},
                                            {"lint", "--rename", "(=>b"}}));
}
