#include "engine/in_place.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <map>

#include "base/file_system.h"
#include "base/in_place_file.h"
#include "receipt/receipt.h"
#include "support/counting_progress.h"
#include "support/error_text.h"
#include "support/sample_checkpoint.h"
#include "transforms/transform_file.h"

using namespace keyshift;
using namespace keyshift::test;
namespace fs = std::filesystem;

namespace {

InPlaceRequest request_for(const fs::path& source, const std::string& rename) {
  InPlaceRequest request;
  request.plan.source = source;
  request.plan.transforms.transforms.push_back(parse_rename_option(rename));
  request.jobs = 2;
  return request;
}

InPlacePlan convert_in_place(const InPlaceRequest& request) {
  CountingProgress progress;
  InPlacePlan plan = plan_in_place(request);
  carry_out_in_place(plan, request.jobs, progress, Interrupt());
  return plan;
}

std::string failure(const InPlaceRequest& request) {
  return error_text([&] { convert_in_place(request); });
}

std::map<std::string, std::string> files_in(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(folder))
    files[entry.path().filename().string()] = read_file(entry.path());
  return files;
}

std::string data_of(const fs::path& shard) {
  const Shard opened = Shard::open(shard, "x");
  return read_file(shard).substr(opened.header().data_start());
}

std::vector<std::string> keys_of(const fs::path& path) {
  std::vector<std::string> keys;
  const Checkpoint checkpoint = Checkpoint::open(path);
  CHECK(checkpoint.warnings().empty());
  for (const Shard& shard : checkpoint.shards()) {
    for (const TensorInfo& tensor : shard.header().tensors()) keys.emplace_back(tensor.key);
  }
  return keys;
}

// So long that no header of the sample has room for it.
const std::string kLong = std::string(3000, 'b');

}  // namespace

TEST_CASE("headers that fit are written over the old ones, and the index follows") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  const auto before = files_in(source);
  const InPlacePlan plan = convert_in_place(request_for(source, "^model=>m"));
  CHECK(plan.changed == 3);
  REQUIRE(plan.shards.size() == 2);
  for (const InPlaceShard& shard : plan.shards) {
    CHECK(shard.way == HeaderWay::overwrite);
    CHECK(shard.new_header == shard.old_header);
    CHECK(fs::file_size(source / shard.name) == before.at(shard.name).size());
    CHECK(data_of(source / shard.name) == before.at(shard.name).substr(shard.old_header));
  }
  CHECK(keys_of(source) == std::vector<std::string>{"m.layers.0.mlp.weight", "m.layers.1.mlp.weight",
                                                    "m.norm.weight", "lm_head.weight"});
  auto after = files_in(source);
  CHECK(after.at("config.json") == before.at("config.json"));
  CHECK(after.size() == before.size() + 1);
}

TEST_CASE("headers that do not fit are given room before the data, which stays what it is") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  const auto before = files_in(source);
  ::chmod((source / kFirstShard).c_str(), 0640);
  const InPlacePlan plan = convert_in_place(request_for(source, "^model=>" + kLong));
  for (const InPlaceShard& shard : plan.shards) {
    REQUIRE(shard.way.has_value());
    CHECK(*shard.way != HeaderWay::overwrite);
    CHECK((shard.new_header - shard.old_header) % 4096 == 0);
    CHECK(shard.size == fs::file_size(source / shard.name));
    CHECK((data_of(source / shard.name) == before.at(shard.name).substr(shard.old_header)));
  }
  CHECK(keys_of(source).front() == kLong + ".layers.0.mlp.weight");
  CHECK(fs::status(source / kFirstShard).permissions() == fs::perms(0640));
  CHECK(files_in(source).size() == before.size() + 1);
}

TEST_CASE("a copy takes the shard's name where nothing cheaper is possible") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  const Checkpoint checkpoint = Checkpoint::open(source);
  const std::string data = data_of(source / kFirstShard);
  std::string header =
      read_file(source / kFirstShard).substr(0, checkpoint.shards()[0].header().data_start());
  header += "        ";  // the data section is no longer congruent modulo 4096
  header[0] = static_cast<char>(header.size() - 8);
  const FileChanges changes = plan_changes(checkpoint, {{0, header}}, {});
  REQUIRE(changes.ways == std::vector{HeaderWay::copy});
  CountingProgress progress;
  carry_out(changes, 1, progress, Interrupt());
  CHECK(read_file(source / kFirstShard) == header + data);
  CHECK(progress.seen() > 0);
  CHECK(files_in(source).size() == 5);
}

TEST_CASE("the receipt tells that it was in place and without digests, and holds the receipt before it") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  convert_in_place(request_for(source, "^model=>m"));
  const std::string first = read_file(source / kReceiptName);
  convert_in_place(request_for(source, "^m=>model"));
  const Receipt receipt = read_receipt(source / kReceiptName);
  CHECK(receipt.in_place);
  CHECK(digests_held(receipt) == DigestsHeld::none);
  REQUIRE(receipt.previous.has_value());
  CHECK(*receipt.previous == first);
  CHECK(receipt.source_shards.at(0).name == kFirstShard);
  CHECK(receipt.shards.at(0).size == fs::file_size(source / kFirstShard));
}

TEST_CASE("there and back in place, every byte is what it was") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  auto before = files_in(source);
  convert_in_place(request_for(source, "^model=>m"));
  convert_in_place(request_for(source, "^m\\.=>model."));
  auto after = files_in(source);
  after.erase(std::string(kReceiptName));
  CHECK((after == before));
}

TEST_CASE("a shard without a new name is not touched, and without any new name nothing is") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  const auto before = files_in(source);
  const InPlacePlan none = convert_in_place(request_for(source, "^nowhere=>m"));
  CHECK_FALSE(none.has_changes());
  CHECK((files_in(source) == before));
  const InPlacePlan one = convert_in_place(request_for(source, "^lm_head=>head"));
  CHECK_FALSE(one.shards.at(0).way.has_value());
  CHECK(one.shards.at(1).way == HeaderWay::overwrite);
  CHECK(read_file(source / kFirstShard) == before.at(kFirstShard));
}

TEST_CASE("a single file is changed with a receipt beside it, but not a shard of a set") {
  const TemporaryFolder folder;
  const auto file = folder.write("one.safetensors", shard_of({{"a", "1"}, {"b", "2"}}));
  convert_in_place(request_for(file, "^a=>c"));
  CHECK(keys_of(file) == std::vector<std::string>{"c", "b"});
  CHECK(fs::exists(folder / "one.keyshift-receipt.json"));
  const fs::path source = write_sample(folder);
  CHECK(failure(request_for(source / kFirstShard, "^model=>m")) ==
        (source / kFirstShard).string() + ": is a shard of \"" + kIndex +
            "\", which would no longer be right; name the index or the folder instead");
}

TEST_CASE("what may not be changed is refused with what to do, and nothing changes") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  const fs::path shard = source / kFirstShard;
  const InPlaceRequest request = request_for(source, "^model=>m");
  const auto before = files_in(source);

  fs::create_hard_link(shard, folder / "second");
  CHECK(failure(request) ==
        shard.string() +
            ": has 2 names (hard links), and all of them would change; convert to another "
            "place, or give this name a copy of its own (`cp --remove-destination`)");
  fs::remove(folder / "second");

  {
    const Descriptor writer(::open(shard.c_str(), O_WRONLY));
    CHECK(failure(request) ==
          shard.string() + ": is open for writing in another process; run again when that has closed it");
  }
  {
    const Descriptor other = try_lock(shard);
    CHECK(failure(request) ==
          shard.string() + ": another run of keyshift is at work on it; wait for it to end");
  }

  fs::rename(shard, source / "elsewhere");
  fs::create_symlink("elsewhere", shard);
  CHECK(failure(request) == shard.string() +
                                ": is a link, and files are never changed through one: what it leads to may "
                                "belong to others. Name the file itself, or convert to another place");
  fs::remove(shard);
  fs::rename(source / "elsewhere", shard);
  CHECK((files_in(source) == before));
}

TEST_CASE("a snapshot in a hub cache is refused") {
  const TemporaryFolder folder;
  const fs::path snapshot = "models--a--b/snapshots/1234";
  folder.write("models--a--b/refs/main", "1234");
  folder.write((snapshot / "model.safetensors").string(), shard_of({{"model.a", "1"}}));
  CHECK(failure(request_for(folder / "models--a--b", "^model=>m")) ==
        (folder / snapshot.string()).string() +
            ": lies in the hub cache, whose files are shared by everything that loads this model; convert it "
            "to "
            "another place instead");
}

TEST_CASE("an interruption before the first change leaves everything as it was") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  const auto before = files_in(source);
  const InPlacePlan plan = plan_in_place(request_for(source, "^model=>m"));
  Interrupt interrupt;
  interrupt.request();
  CountingProgress progress;
  CHECK(error_text([&] { carry_out(plan.changes, 1, progress, interrupt); }) ==
        "interrupted; nothing was published");
  CHECK((files_in(source) == before));
}

TEST_CASE("what somebody else changes after it was read is not written over") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  CountingProgress progress;
  const InPlacePlan plan = plan_in_place(request_for(source, "^model=>m"));
  folder.write("source/" + kIndex, "theirs");
  CHECK(error_text([&] { carry_out(plan.changes, 1, progress, Interrupt()); }) ==
        (source / kIndex).string() +
            ": was changed by somebody else meanwhile; nothing was changed here, run again when it rests");
  CHECK(read_file(source / kIndex) == "theirs");
  CHECK_FALSE(fs::exists(source / ".keyshift-journal-tmp"));
}
