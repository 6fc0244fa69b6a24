#include <doctest/doctest.h>

#include <filesystem>

#include "tools/golden.h"

namespace fs = std::filesystem;
using keyshift::test::check_golden;
using keyshift::test::InSampleFolder;
using keyshift::test::run_command;
using keyshift::test::transcripts;

TEST_CASE("shards of another size, one file, the library's own layout: planned, made and verified") {
  InSampleFolder folder;
  check_golden(
      "layouts",
      transcripts({{"convert", "sample", "small", "--max-shard-size", "200kB", "--dry-run"},
                   {"convert", "sample", "small", "--max-shard-size", "200KB", "--transforms",
                    "sample/transforms.json"},
                   {"verify", "sample", "small"},
                   {"convert", "small", "one.safetensors", "--layout", "canonical", "--direction", "save"},
                   {"verify", "sample", "one.safetensors"}}));
}

TEST_CASE("a subset is planned, made and verified, and verify knows it from the receipt") {
  InSampleFolder folder;
  check_golden(
      "subset",
      transcripts(
          {{"convert", "sample", "text", "--keep", "^language_model", "--drop", "lm_head", "--dry-run"},
           {"convert", "sample", "text", "--keep", "^language_model", "--drop", "lm_head", "--remove-prefix",
            "language_model"},
           {"verify", "sample", "text"},
           {"verify", "sample", "text", "--remove-prefix", "language_model", "--drop", "vision"}}));
}

TEST_CASE("what cannot be laid out is refused, and nothing appears") {
  InSampleFolder folder;
  check_golden("layout-refused",
               transcripts({{"convert", "sample", "new", "--max-shard-size", "5GiB"},
                            {"convert", "sample", "new.safetensors", "--max-shard-size", "200KB"},
                            {"convert", "sample", "new", "--keep", "nothing like that"},
                            {"convert", "sample", "new", "--drop", "("},
                            {"convert", "sample", "new", "--layout", "other"},
                            {"convert", "sample", "new", "--max-shard-size", "1GB", "--max-shard-size="},
                            {"roundtrip", "sample", "--layout", "canonical"}}));
  CHECK(std::distance(fs::directory_iterator("."), {}) == 1);
}
