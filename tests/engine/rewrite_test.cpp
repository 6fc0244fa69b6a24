#include "engine/rewrite.h"

#include <doctest/doctest.h>

#include <set>

#include "base/file_system.h"
#include "receipt/receipt.h"
#include "support/counting_progress.h"
#include "support/error_text.h"
#include "support/sample_checkpoint.h"
#include "transforms/transform_file.h"

using namespace keyshift;
using namespace keyshift::test;
namespace fs = std::filesystem;

namespace {

RewriteRequest request_for(const fs::path& source, const fs::path& destination, const std::string& rename) {
  RewriteRequest request;
  request.plan.source = source;
  if (!rename.empty()) request.plan.transforms.transforms.push_back(parse_rename_option(rename));
  request.destination = destination;
  return request;
}

RewriteResult run(const RewriteRequest& request) {
  CountingProgress progress;
  RewriteResult result = rewrite(request, progress, Interrupt());
  CHECK(progress.seen() >= progress.total());
  return result;
}

std::string failure(const RewriteRequest& request) {
  return error_text([&] {
    CountingProgress progress;
    rewrite(request, progress, Interrupt());
  });
}

std::set<std::string> entries(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename().string());
  return names;
}

std::string tensor_bytes(const Checkpoint& checkpoint, std::string_view key) {
  for (const Shard& shard : checkpoint.shards()) {
    for (const TensorInfo& tensor : shard.header().tensors()) {
      if (tensor.key != key) continue;
      const auto bytes = shard.bytes(tensor);
      return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }
  }
  return "no such key";
}

}  // namespace

TEST_CASE("a renamed checkpoint has the new keys, the same bytes, an index, the side files and a receipt") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  const RewriteResult result = run(request_for(source, folder / "out", "^model=>backbone"));
  CHECK(result.tensors == 4);
  CHECK(result.changed == 3);
  CHECK(result.data_bytes == 29);
  CHECK(entries(folder / "out") == std::set<std::string>{kFirstShard, kSecondShard, kIndex, "config.json",
                                                         "tokenizer.json", "keyshift-receipt.json"});
  const Checkpoint out = Checkpoint::open(folder / "out");
  CHECK(out.warnings().empty());
  CHECK(tensor_bytes(out, "backbone.layers.1.mlp.weight") == "abcdefghij");
  CHECK(tensor_bytes(out, "lm_head.weight") == "head!");
  CHECK(read_file(folder / "out" / kIndex) == R"({
  "metadata": {
    "total_parameters": 7,
    "total_size": 29
  },
  "weight_map": {
    "backbone.layers.0.mlp.weight": "model-00001-of-00002.safetensors",
    "backbone.layers.1.mlp.weight": "model-00001-of-00002.safetensors",
    "backbone.norm.weight": "model-00002-of-00002.safetensors",
    "lm_head.weight": "model-00002-of-00002.safetensors"
  }
}
)");
  CHECK(read_file(folder / "out" / "config.json") == read_file(source / "config.json"));
}

TEST_CASE("renaming back gives the very bytes of the source") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  run(request_for(source, folder / "out", "^model=>backbone"));
  run(request_for(folder / "out", folder / "back", "^backbone=>model"));
  for (const std::string& name : {kFirstShard, kSecondShard, kIndex, std::string("config.json")}) {
    CHECK(read_file(folder / "back" / name) == read_file(source / name));
  }
}

TEST_CASE("the data section stays congruent to the source's modulo 4096") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  const std::string long_name(5000, 'x');
  run(request_for(source, folder / "out", "^model=>" + long_name));
  const Checkpoint before = Checkpoint::open(source);
  const Checkpoint after = Checkpoint::open(folder / "out");
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(after.shards()[i].header().data_start() % 4096 == before.shards()[i].header().data_start() % 4096);
  }
}

TEST_CASE("the same input gives the same bytes, receipt included, whatever the number of jobs") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  RewriteRequest request = request_for(source, folder / "one", "^model=>backbone");
  run(request);
  request.destination = folder / "two";
  request.jobs = 4;
  run(request);
  for (const std::string& name : entries(folder / "one")) {
    CHECK(read_file(folder / "one" / name) == read_file(folder / "two" / name));
  }
}

TEST_CASE("a single file goes to a single file, its receipt beside it") {
  const TemporaryFolder folder;
  const fs::path source = folder.write("a.safetensors", shard_of({{"x", "1"}}));
  const RewriteResult result = run(request_for(source, folder / "b.safetensors", "x=>y"));
  CHECK(result.receipt_name == "b.keyshift-receipt.json");
  CHECK(entries(folder.path()) ==
        std::set<std::string>{"a.safetensors", "b.safetensors", "b.keyshift-receipt.json"});
  CHECK(tensor_bytes(Checkpoint::open(folder / "b.safetensors"), "y") == "1");
}

TEST_CASE("a receipt tells what was done and names the receipt before it") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  const RewriteResult first = run(request_for(source, folder / "out", "^model=>backbone"));
  const Receipt receipt = read_receipt(folder / "out/keyshift-receipt.json");
  CHECK(receipt.used == std::vector<bool>{true});
  CHECK_FALSE(receipt.previous.has_value());
  CHECK(receipt.source_shards.at(0).header ==
        read_file(source / kFirstShard).substr(0, receipt.source_shards.at(0).header.size()));
  CHECK(receipt.source_index->text == read_file(source / kIndex));
  CHECK(receipt.tensors.at(3).from == "lm_head.weight");
  CHECK(receipt.tensors.at(3).digest == digest_of(std::string_view("head!")));
  const std::string shard = read_file(folder / "out" / kFirstShard);
  CHECK(receipt.shards.at(0).digest == digest_of(shard));
  CHECK(receipt.shards.at(0).header_digest ==
        digest_of(std::string_view(shard).substr(0, shard.size() - 20)));
  CHECK(receipt.source_files.at(1).name == "tokenizer.json");
  CHECK(receipt.source_files.at(1).digest == digest_of(std::string_view("{}")));
  CHECK(digests_held(receipt) == DigestsHeld::all);
  CHECK_FALSE(receipt.target.has_value());
  run(request_for(folder / "out", folder / "again", "^backbone=>model"));
  const Receipt again = read_receipt(folder / "again/keyshift-receipt.json");
  CHECK(again.previous == read_file(folder / "out/keyshift-receipt.json"));
  CHECK(digest_of(*again.previous) == first.receipt_digest);
}

TEST_CASE("two keys that would become one are refused by both their names, and nothing appears") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  CHECK(failure(request_for(source, folder / "out", R"(layers\.\d+=>layers)")) ==
        "key \"model.layers.mlp.weight\": \"model.layers.0.mlp.weight\" (in "
        "\"model-00001-of-00002.safetensors\") and "
        "\"model.layers.1.mlp.weight\" (in \"model-00001-of-00002.safetensors\") would both become "
        "\"model.layers.mlp.weight\"; change the transforms so that every key keeps a name of its own");
  CHECK(entries(folder.path()) == std::set<std::string>{"source"});
}

TEST_CASE(
    "a key that lies in two shards with the same bytes goes along, and the index names the later shard") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  folder.write("source/" + kFirstShard, shard_of({{"model.layers.0.mlp.weight", "0123456789"},
                                                  {"model.layers.1.mlp.weight", "abcdefghij"},
                                                  {"lm_head.weight", "head!"}}));
  run(request_for(source, folder / "out", "lm_head=>head"));
  const Checkpoint out = Checkpoint::open(folder / "out");
  CHECK(out.tensor_count() == 5);
  CHECK(read_file(folder / "out" / kIndex).find("\"head.weight\": \"" + kSecondShard + "\"") !=
        std::string::npos);
}

TEST_CASE("an empty key and __metadata__ as a result are refused") {
  const TemporaryFolder folder;
  const fs::path source = folder.write("a.safetensors", shard_of({{"x", "1"}}));
  CHECK(failure(request_for(source, folder / "b.safetensors", "^x$=>")) ==
        source.string() +
            ": key \"x\": would be renamed to \"\", which names nothing; change the transforms");
  CHECK(failure(request_for(source, folder / "b.safetensors", "^x$=>__metadata__")) ==
        source.string() +
            ": key \"x\": would be renamed to \"__metadata__\", which the format keeps for its own metadata; "
            "change the transforms");
  CHECK(entries(folder.path()) == std::set<std::string>{"a.safetensors"});
}

TEST_CASE("a destination that exists is refused without --force, whatever it is") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  const fs::path other = folder.write("other/notes.txt", "mine").parent_path();
  CHECK(failure(request_for(source, other, "")) ==
        other.string() + ": exists and is not empty; choose another name, or --force to replace it");
  const fs::path file = folder.write("x.safetensors", "mine");
  const fs::path single = folder.write("a.safetensors", shard_of({{"x", "1"}}));
  CHECK(failure(request_for(single, file, "")) ==
        file.string() + ": exists; choose another name, or --force to replace it");
  CHECK(read_file(file) == "mine");
}

TEST_CASE("--force replaces a checkpoint, and no other folder") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  RewriteRequest request = request_for(source, folder / "out", "^model=>a");
  run(request);
  request = request_for(source, folder / "out", "^model=>b");
  request.force = true;
  run(request);
  CHECK(tensor_bytes(Checkpoint::open(folder / "out"), "b.norm.weight") == "norm");
  CHECK(entries(folder.path()) == std::set<std::string>{"source", "out"});

  folder.write("out/.git/config", "mine");
  CHECK(failure(request) ==
        (folder / "out").string() +
            ": holds \".git/config\", which is no part of the checkpoint there, so --force does not "
            "replace it; move it away first");
  request.destination = folder.write("other/notes.txt", "mine").parent_path();
  CHECK(failure(request).starts_with((folder / "other").string() +
                                     ": exists and is not a checkpoint, so --force does not replace it ("));
  CHECK(read_file(folder / "other/notes.txt") == "mine");
}

TEST_CASE("a destination that is, contains or is inside the source is refused") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder, "outer/source");
  const auto refused = [&](const fs::path& destination, const std::string& how) {
    RewriteRequest request = request_for(source, destination, "");
    request.force = true;
    CHECK(failure(request) == (destination.string() + ": " + how +
                               " the source, which is never written to; choose another destination"));
  };
  refused(source, "is");
  refused(source / "inner", "is inside");
  refused(folder / "outer", "contains");
  CHECK(entries(folder / "outer") == std::set<std::string>{"source"});
}

TEST_CASE("an interruption leaves nothing behind") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  CountingProgress progress;
  Interrupt interrupt;
  interrupt.request();
  CHECK(error_text([&] { rewrite(request_for(source, folder / "out", "^model=>b"), progress, interrupt); }) ==
        "interrupted; nothing was published");
  CHECK(entries(folder.path()) == std::set<std::string>{"source"});
}

TEST_CASE("what a dead run left behind is cleaned up, what a living one holds is not") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  folder.write(".out.keyshift-tmp/half", "x");
  {
    const Descriptor held = try_lock(folder / ".out.keyshift-tmp");
    CHECK(failure(request_for(source, folder / "out", "")) ==
          (folder / ".out.keyshift-tmp").string() +
              ": another run of keyshift is writing there; wait for it, or choose another destination");
    CHECK(read_file(folder / ".out.keyshift-tmp/half") == "x");
  }
  run(request_for(source, folder / "out", ""));
  CHECK(entries(folder.path()) == std::set<std::string>{"source", "out"});
}

TEST_CASE("several shards become one file where the destination is one") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  const RewriteResult result = run(request_for(source, folder / "out.safetensors", "^model=>m"));
  CHECK(result.shards.size() == 1);
  const Checkpoint out = Checkpoint::open(folder / "out.safetensors");
  CHECK(out.tensor_count() == 4);
  CHECK(tensor_bytes(out, "m.layers.1.mlp.weight") == "abcdefghij");
  CHECK(tensor_bytes(out, "lm_head.weight") == "head!");
}

TEST_CASE("a canonical, resharded subset has the right bytes, and its receipt says what was asked for") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  RewriteRequest request = request_for(source, folder / "out", "^model=>m");
  request.plan.options.layout = Layout::canonical;
  request.plan.options.max_shard_size = 12;
  request.plan.subset = {{}, {"norm"}};
  const RewriteResult result = run(request);
  CHECK(result.tensors == 3);
  CHECK(result.dropped == 1);
  const Checkpoint out = Checkpoint::open(folder / "out");
  CHECK(out.shards().size() == 3);
  CHECK(tensor_bytes(out, "m.layers.1.mlp.weight") == "abcdefghij");
  const Receipt receipt = read_receipt(folder / "out/keyshift-receipt.json");
  CHECK(receipt.layout == Receipt::Layout::canonical);
  CHECK(receipt.max_shard_size == 12);
  CHECK(receipt.drop_patterns == std::vector<std::string>{"norm"});
  REQUIRE(receipt.tensors.size() == 4);
  CHECK_FALSE(receipt.tensors[2].to.has_value());
  CHECK(receipt.tensors[3].digest == digest_of(std::string_view("head!")));
}

TEST_CASE("a folder above the destination must exist") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  CHECK(failure(request_for(source, folder / "no/out", "")) ==
        (folder / "no/out").string() + ": the folder \"" + (folder / "no").string() +
            "\" does not exist; make it first");
}

TEST_CASE("a checkpoint of nothing but a header is converted") {
  const TemporaryFolder folder;
  const fs::path source = folder.write("a.safetensors", shard_file("{}", ""));
  run(request_for(source, folder / "b.safetensors", "x=>y"));
  CHECK(read_file(folder / "b.safetensors").substr(8, 2) == "{}");
}

TEST_CASE("planning writes nothing anywhere") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  const PreparedPlan prepared = plan_rewrite(request_for(source, folder / "out", "^model=>b"));
  CHECK(prepared.plan.shards.size() == 2);
  CHECK(entries(folder.path()) == std::set<std::string>{"source"});
}

TEST_CASE("SHA-256 of every file is told and kept where it was asked for") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  RewriteRequest request = request_for(source, folder / "out", "^model=>backbone");
  request.copy.sha256 = true;
  request.copy.digests = CopyOptions::Digests::always;
  const RewriteResult result = run(request);
  const Receipt receipt = read_receipt(folder / "out/keyshift-receipt.json");
  for (std::size_t i = 0; i < 2; ++i) {
    const Sha256 there = sha256_of(read_file(folder / "out" / result.shards[i].name));
    CHECK(result.shards[i].written.sha256 == there);
    CHECK(receipt.shards.at(i).sha256 == there);
  }
  for (std::size_t i = 0; i < result.others.size(); ++i) {
    const Sha256 there = sha256_of(read_file(folder / "out" / result.others[i].name));
    CHECK(result.others[i].written.sha256 == there);
    CHECK(receipt.others.at(i).sha256 == there);
  }
  request.copy = {};
  request.destination = folder / "plain";
  CHECK_FALSE(run(request).shards.at(0).written.sha256.has_value());
  CHECK_FALSE(read_receipt(folder / "plain/keyshift-receipt.json").shards.at(0).sha256.has_value());
}
