#include "engine/revert_in_place.h"

#include <doctest/doctest.h>

#include <map>

#include "base/in_place_file.h"
#include "engine/in_place.h"
#include "engine/revert.h"
#include "engine/rewrite.h"
#include "support/counting_progress.h"
#include "support/error_text.h"
#include "support/sample_checkpoint.h"
#include "transforms/transform_file.h"

using namespace keyshift;
using namespace keyshift::test;
namespace fs = std::filesystem;

namespace {

void convert(const fs::path& path, const std::string& rename) {
  InPlaceRequest request;
  request.plan.source = path;
  request.plan.transforms.transforms.push_back(parse_rename_option(rename));
  CountingProgress progress;
  const InPlacePlan plan = plan_in_place(request);
  carry_out_in_place(plan, 1, progress, Interrupt());
}

void convert_to(const fs::path& source, const fs::path& destination, const std::string& rename) {
  RewriteRequest request;
  request.plan.source = source;
  request.plan.transforms.transforms.push_back(parse_rename_option(rename));
  request.destination = destination;
  CountingProgress progress;
  rewrite(request, progress, Interrupt());
}

RevertInPlaceResult go_back(const fs::path& path) {
  RevertInPlaceRequest request;
  request.path = path;
  request.jobs = 2;
  CountingProgress progress;
  return revert_in_place(request, progress, Interrupt());
}

std::map<std::string, std::string> contents(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(folder))
    files[entry.path().filename().string()] = read_file(entry.path());
  return files;
}

void flip_last(const fs::path& path) {
  std::string bytes = read_file(path);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace

TEST_CASE(
    "files that were converted in place become the original ones again, whatever their headers' lengths") {
  for (const std::string& name : {std::string("b"), std::string(5000, 'x')}) {
    const TemporaryFolder folder;
    const fs::path path = write_sample(folder);
    const auto before = contents(path);
    convert(path, "^model=>" + name);
    CHECK(contents(path) != before);
    const RevertInPlaceResult result = go_back(path);
    CHECK(contents(path) == before);
    CHECK(result.digests == DigestsHeld::none);
    CHECK(result.proven == 0);
    CHECK(result.tensors == 4);
    CHECK(result.written == std::vector<std::string>{kIndex});
    CHECK(result.removed == std::vector<std::string>{"keyshift-receipt.json"});
  }
}

TEST_CASE("where blocks can be taken out, a shorter header comes back without a copy of the data") {
  const TemporaryFolder folder;
  const fs::path path = write_sample(folder);
  if (!insert_range(open_for_changes(path / kFirstShard).get(), path / kFirstShard, 0, 4096)) {
    MESSAGE("this file system does not insert blocks");
    return;
  }
  collapse_range(open_for_changes(path / kFirstShard).get(), path / kFirstShard, 0, 4096);
  const auto before = contents(path);
  convert(path, "^model=>" + std::string(5000, 'x'));
  const RevertInPlaceResult result = go_back(path);
  CHECK(contents(path) == before);
  for (const auto& shard : result.shards) CHECK(shard.way == HeaderWay::collapse);
}

TEST_CASE("a chain in place is reverted step by step") {
  const TemporaryFolder folder;
  const fs::path path = write_sample(folder);
  const auto first = contents(path);
  convert(path, "^model=>backbone");
  const auto second = contents(path);
  convert(path, "layers=>blocks");
  go_back(path);
  CHECK(contents(path) == second);
  go_back(path);
  CHECK(contents(path) == first);
}

TEST_CASE("what was converted in place can be reverted to another place") {
  const TemporaryFolder folder;
  const fs::path path = write_sample(folder);
  const auto before = contents(path);
  convert(path, "^model=>backbone");
  RevertRequest request;
  request.source = path;
  request.destination = folder / "back";
  CountingProgress progress;
  revert(request, progress, Interrupt());
  CHECK(contents(folder / "back") == before);
}

TEST_CASE("what was converted to another place can be reverted there, its tensors checked first") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  convert_to(source, folder / "out", "^model=>backbone");
  flip_last(folder / "out" / kSecondShard);
  const auto damaged = contents(folder / "out");
  const std::string text = error_text([&] { go_back(folder / "out"); });
  CHECK(text.starts_with((folder / "out" / kSecondShard).string() + ": byte "));
  CHECK(text.find("key \"lm_head.weight\": the tensor's bytes have digest ") != std::string::npos);
  CHECK(contents(folder / "out") == damaged);
  flip_last(folder / "out" / kSecondShard);
  CHECK(go_back(folder / "out").proven == 4);
  CHECK(contents(folder / "out") == contents(source));
}

TEST_CASE("a single file comes back in place") {
  const TemporaryFolder folder;
  const fs::path file = folder.write("a.safetensors", shard_of({{"x", "1"}, {"none", ""}}));
  const std::string before = read_file(file);
  convert(file, "x=>y");
  CHECK(read_file(file) != before);
  go_back(file);
  CHECK(contents(folder.path()) == std::map<std::string, std::string>{{"a.safetensors", before}});
}

TEST_CASE("side files that changed are named, and nothing is changed") {
  const TemporaryFolder folder;
  const fs::path path = write_sample(folder);
  convert(path, "^model=>backbone");
  folder.write("source/config.json", "{}");
  const auto before = contents(path);
  CHECK(error_text([&] { go_back(path); }).starts_with((path / "config.json").string() + ": has digest "));
  CHECK(contents(path) == before);
}

TEST_CASE("tensors that were moved do not come back in place") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  RewriteRequest request;
  request.plan.source = source;
  request.plan.options.max_shard_size = 1'000'000;
  request.destination = folder / "out";
  CountingProgress progress;
  rewrite(request, progress, Interrupt());
  CHECK(error_text([&] { go_back(folder / "out"); }) ==
        (folder / "out/keyshift-receipt.json").string() + ": does not hold the tensors that \"" +
            kFirstShard +
            "\" of the original had, in their order, so headers alone cannot bring it back; revert to "
            "another place");
}

TEST_CASE("other layouts come back to another place, shard by shard") {
  for (const bool canonical : {false, true}) {
    for (const std::uint64_t limit : {1, 10, 1'000'000}) {
      const TemporaryFolder folder;
      const fs::path source = write_sample(folder);
      RewriteRequest request;
      request.plan.source = source;
      request.plan.transforms.transforms.push_back(parse_rename_option("^model=>backbone"));
      request.plan.options.layout = canonical ? Layout::canonical : Layout::keep;
      request.plan.options.max_shard_size = limit;
      request.destination = folder / "out";
      CountingProgress progress;
      rewrite(request, progress, Interrupt());
      RevertRequest back;
      back.source = folder / "out";
      back.destination = folder / "back";
      revert(back, progress, Interrupt());
      CHECK(contents(folder / "back") == contents(source));
    }
  }
}
