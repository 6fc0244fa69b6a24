#include "engine/reindex.h"

#include <doctest/doctest.h>

#include "support/error_text.h"
#include "support/sample_checkpoint.h"

using namespace keyshift;
using namespace keyshift::test;
namespace fs = std::filesystem;

TEST_CASE("an index that is right is left alone, whatever its form") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  CHECK_FALSE(reindex(source, {}).written);
  std::string text = read_file(source / kIndex);
  while (text.find('\n') != std::string::npos) text.erase(text.find('\n'), 1);
  folder.write("source/" + kIndex, text);
  CHECK_FALSE(reindex(source, {}).written);
  CHECK(read_file(source / kIndex) == text);
}

TEST_CASE("a missing index is written as transformers writes it") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  const std::string before = read_file(source / kIndex);
  fs::remove(source / kIndex);
  const ReindexResult result = reindex(source, {});
  CHECK(result.written);
  CHECK_FALSE(result.was_there);
  CHECK(result.added == 4);
  std::string expected = before;
  expected.erase(expected.find("    \"total_parameters\": 7,\n"), 27);
  CHECK(read_file(source / kIndex) == expected);
}

TEST_CASE("keys that are missing, too many or elsewhere and a wrong total are mended, metadata stays") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  const std::string before = read_file(source / kIndex);
  folder.write("source/" + kIndex, R"({"metadata": {"total_size": 1, "total_parameters": 7}, "weight_map": {
    "gone": "model-00001-of-00002.safetensors", "lm_head.weight": "model-00001-of-00002.safetensors",
    "model.norm.weight": "model-00002-of-00002.safetensors"}})");
  const ReindexResult result = reindex(source, {});
  CHECK(result.written);
  CHECK(result.added == 2);
  CHECK(result.removed == 1);
  CHECK(result.moved == 1);
  CHECK(read_file(source / kIndex) == before);
  CHECK_FALSE(reindex(source, {}).written);
}

TEST_CASE("an index that cannot be read is written anew") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  folder.write("source/" + kIndex, "{");
  const ReindexResult result = reindex(source, {});
  CHECK(result.written);
  CHECK(result.index_name == kIndex);
  CHECK_FALSE(reindex(source, {}).written);
}

TEST_CASE("an index that names a part of a complete set is mended to the whole set") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  const std::string before = read_file(source / kIndex);
  folder.write("source/" + kIndex, R"({"metadata": {"total_parameters": 7}, "weight_map": {
    "model.norm.weight": "model-00002-of-00002.safetensors"}})");
  const ReindexResult result = reindex(source, {});
  CHECK(result.written);
  CHECK(result.added == 3);
  CHECK(result.warnings.front() == kIndex + ": leaves out 1 of the 2 shards of a set; all are taken");
  CHECK(read_file(source / kIndex) == before);
}

TEST_CASE("an index that would leave out a shard of a set that is not complete is refused") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  fs::rename(source / kFirstShard, source / "model-00001-of-00003.safetensors");
  fs::rename(source / kSecondShard, source / "model-00002-of-00003.safetensors");
  const std::string index = R"({"weight_map": {"model.norm.weight": "model-00002-of-00003.safetensors"}})";
  folder.write("source/" + kIndex, index);
  CHECK(error_text([&] { reindex(source, {}); }) ==
        (source / kIndex).string() +
            ": leaves out \"model-00001-of-00003.safetensors\", which is of the same set as "
            "\"model-00002-of-00003.safetensors\", and of the 3 shards of that set some are missing: fetch "
            "them and run again, then all of the set are taken; or move that shard away");
  CHECK(read_file(source / kIndex) == index);
}

TEST_CASE("one shard needs no index, and a file has none") {
  const TemporaryFolder folder;
  const fs::path file = folder.write("one/model.safetensors", shard_of({{"a", "1"}}));
  CHECK(reindex(folder / "one", {}).index_name.empty());
  CHECK(error_text([&] { reindex(file, {}); }) ==
        file.string() + ": is a single file, which needs no index; name its folder");
}
