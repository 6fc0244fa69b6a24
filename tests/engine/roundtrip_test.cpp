#include "engine/roundtrip.h"

#include <doctest/doctest.h>

#include "support/counting_progress.h"
#include "support/error_text.h"
#include "support/sample_checkpoint.h"
#include "transforms/transform_file.h"

using namespace keyshift;
using namespace keyshift::test;
namespace fs = std::filesystem;

namespace {

RoundtripResult run(const fs::path& source, const std::vector<std::string>& renames, unsigned jobs = 1) {
  PlanRequest request;
  request.source = source;
  for (const std::string& rename : renames)
    request.transforms.transforms.push_back(parse_rename_option(rename));
  CountingProgress progress;
  return roundtrip(request, jobs, progress, Interrupt());
}

}  // namespace

TEST_CASE("a renaming that can be undone comes home byte for byte") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  for (const unsigned jobs : {1U, 3U}) {
    const RoundtripResult result = run(source, {"^model.layers=>^blocks"}, jobs);
    CHECK(result.same);
    CHECK(result.changed.empty());
    REQUIRE(result.files.size() == 3);
    CHECK(result.files[0].there == digest_of(read_file(source / kFirstShard)));
    CHECK(result.files[0].written == result.files[0].there);
    CHECK(result.files[2].name == kIndex);
    CHECK(result.data_bytes == 29);
  }
}

TEST_CASE("a renaming that cannot be undone is told by the keys that did not come home") {
  const TemporaryFolder folder;
  const fs::path source = folder.write("a.safetensors", shard_of({{"old.a", "1"}, {"new.b", "2"}}));
  const RoundtripResult result = run(source, {"old=>new"});
  CHECK_FALSE(result.same);
  REQUIRE(result.changed.size() == 1);
  CHECK(result.changed[0].from == "new.b");
  CHECK(result.changed[0].loaded == "new.b");
  CHECK(result.changed[0].saved == "old.b");
  CHECK(result.files[0].difference.starts_with("the header, from byte "));
}

TEST_CASE("only the transforms that the load used are reversed") {
  const TemporaryFolder folder;
  const fs::path source = folder.write("a.safetensors", shard_of({{"b.x", "1"}}));
  const RoundtripResult result = run(source, {"^a=>b"});
  CHECK(result.same);
  CHECK(result.used == std::vector<bool>{false});
}

TEST_CASE("a header in another form than ours is told, though every key came home") {
  const TemporaryFolder folder;
  const fs::path source = folder.write(
      "a.safetensors", shard_file(R"( {"x": {"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", "1"));
  const RoundtripResult result = run(source, {"x=>y"});
  CHECK(result.changed.empty());
  CHECK_FALSE(result.same);
  CHECK_FALSE(result.files[0].difference.empty());
}

TEST_CASE("an index in another form than transformers' names the same tensors, and that counts") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  const std::string text = read_file(source / kIndex);
  folder.write("source/" + kIndex, text.substr(0, text.size() - 1));  // without the final newline
  const RoundtripResult result = run(source, {"^model=>b"});
  CHECK(result.same);
  CHECK(result.files[2].difference == "only in form: a save writes it as transformers does");
}
