#include "engine/revert.h"

#include <doctest/doctest.h>

#include <functional>
#include <map>

#include "engine/rewrite.h"
#include "receipt/receipt.h"
#include "support/counting_progress.h"
#include "support/error_text.h"
#include "support/sample_checkpoint.h"
#include "transforms/transform_file.h"

using namespace keyshift;
using namespace keyshift::test;
namespace fs = std::filesystem;

namespace {

constexpr const char* kChanged =
    "; it was damaged or changed after the conversion, so the original cannot be made from it";

void convert(const fs::path& source, const fs::path& destination, const std::string& rename) {
  RewriteRequest request;
  request.plan.source = source;
  request.plan.transforms.transforms.push_back(parse_rename_option(rename));
  request.destination = destination;
  CountingProgress progress;
  rewrite(request, progress, Interrupt());
}

RevertResult go_back(const fs::path& source, const fs::path& destination) {
  RevertRequest request;
  request.source = source;
  request.destination = destination;
  request.jobs = 2;
  CountingProgress progress;
  RevertResult result = revert(request, progress, Interrupt());
  CHECK(progress.seen() >= progress.total());
  return result;
}

std::string failure(const fs::path& source, const fs::path& destination) {
  return error_text([&] { go_back(source, destination); });
}

// Every file of a folder with its bytes.
std::map<std::string, std::string> contents(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file())
      files[entry.path().lexically_relative(folder).string()] = read_file(entry.path());
  }
  return files;
}

void flip(const fs::path& path, std::size_t at) {
  std::string bytes = read_file(path);
  bytes.at(at) = static_cast<char>(bytes.at(at) ^ 0x01);
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// The receipt of a conversion, with a change that its own digest knows of.
void edit_receipt(const fs::path& path, const std::function<void(Receipt&)>& edit) {
  Receipt receipt = read_receipt(path);
  edit(receipt);
  std::ofstream out(path, std::ios::binary);
  for (const std::string& piece : write_receipt(receipt)) out << piece;
}

}  // namespace

TEST_CASE("a reverted checkpoint is the original, file by file and byte by byte") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  folder.write("source/sub/vocab.txt", "a\nb\n");
  convert(source, folder / "out", "^model=>backbone");
  const RevertResult result = go_back(folder / "out", folder / "back");
  CHECK(contents(folder / "back") == contents(source));
  CHECK(result.receipt == folder / "out/keyshift-receipt.json");
  CHECK(result.tensors == 4);
  CHECK(result.proven == 4);
  CHECK(result.digests == DigestsHeld::all);
  CHECK(result.warnings.empty());
}

TEST_CASE(
    "what no writer would write comes back too: padding, order, escapes, metadata anywhere, arrays, "
    "repeats") {
  const std::string data = "0123456789";
  const std::string a = R"("a":{"dtype":"U8","shape":[4],"data_offsets":[6,10]})";
  const std::string b = R"("b":{"shape":[6],"data_offsets":[0,6],"more":[1,{"x":null}],"dtype":"U8"})";
  const std::string none = R"("none":{"dtype":"F32","shape":[0,7],"data_offsets":[6,6]})";
  const std::vector<std::string> headers = {
      "{" + a + "," + b + "}",
      "{" + b + "," + none + "," + a + "}       ",
      " \n\t{ " + a + " ,\r\n " + b + " }\n",
      "{" + a + R"(,"__metadata__":{"z":"1","a":"\u00e9","":""},)" + b + "}",
      "{" + a + "," + b + R"(,"\u005f_metadata__":null})",
      R"({"\u0061\/\"":["U8",[4],[6,10]],)" + b + "}",
      R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[5,9]},)" + b + "," + a + "}",
      "{" + a + "," + b + R"(,"__metadata__":{}})",
      R"({"":{"dtype":"U8","shape":[10],"data_offsets":[0,10]}})",
  };
  for (const std::string& json : headers) {
    INFO(json);
    const TemporaryFolder folder;
    const fs::path source = folder.write("source/model.safetensors", shard_file(json, data));
    convert(source.parent_path(), folder / "out", "^=>new.");
    go_back(folder / "out", folder / "back");
    CHECK(contents(folder / "back") == contents(folder / "source"));
  }
}

TEST_CASE("a single file comes back as a single file") {
  const TemporaryFolder folder;
  const fs::path source = folder.write("a.safetensors", shard_of({{"x", "1"}, {"y", ""}}));
  convert(source, folder / "b.safetensors", "x=>z");
  go_back(folder / "b.safetensors", folder / "c.safetensors");
  CHECK(read_file(folder / "c.safetensors") == read_file(source));
  CHECK_FALSE(fs::exists(folder / "c.keyshift-receipt.json"));
  go_back(folder / "b.safetensors", folder / "folder");
  CHECK(read_file(folder / "folder/a.safetensors") == read_file(source));
}

TEST_CASE("a chain of conversions is reverted step by step") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  convert(source, folder / "one", "^model=>backbone");
  convert(folder / "one", folder / "two", "^backbone=>trunk");
  convert(folder / "two", folder / "three", "layers=>blocks");
  go_back(folder / "three", folder / "back-two");
  CHECK(contents(folder / "back-two") == contents(folder / "two"));
  go_back(folder / "back-two", folder / "back-one");
  CHECK(contents(folder / "back-one") == contents(folder / "one"));
  go_back(folder / "back-one", folder / "back");
  CHECK(contents(folder / "back") == contents(source));
}

TEST_CASE("a chain of single files is reverted step by step") {
  const TemporaryFolder folder;
  folder.write("a.safetensors", shard_of({{"x", "1"}}));
  convert(folder / "a.safetensors", folder / "b.safetensors", "x=>y");
  convert(folder / "b.safetensors", folder / "c.safetensors", "y=>z");
  go_back(folder / "c.safetensors", folder / "d.safetensors");
  CHECK(read_file(folder / "d.safetensors") == read_file(folder / "b.safetensors"));
  CHECK(read_file(folder / "d.keyshift-receipt.json") == read_file(folder / "b.keyshift-receipt.json"));
  go_back(folder / "d.safetensors", folder / "e.safetensors");
  CHECK(read_file(folder / "e.safetensors") == read_file(folder / "a.safetensors"));
}

TEST_CASE("tensors that lie in other shards and in another order now find their old places") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  convert(source, folder / "out", "^model=>backbone");
  // One shard with everything in it, as a conversion with another layout would have written it.
  const std::string merged = shard_of({{"lm_head.weight", "head!"},
                                       {"backbone.layers.1.mlp.weight", "abcdefghij"},
                                       {"backbone.layers.0.mlp.weight", "0123456789"},
                                       {"backbone.norm.weight", "norm"}});
  fs::remove(folder / "out" / kFirstShard);
  fs::remove(folder / "out" / kSecondShard);
  fs::remove(folder / "out" / kIndex);
  folder.write("out/model.safetensors", merged);
  edit_receipt(folder / "out/keyshift-receipt.json", [&](Receipt& receipt) {
    receipt.shards = {{"model.safetensors",
                       merged.size(),
                       digest_of(std::string_view(merged).substr(0, merged.size() - 29)),
                       {},
                       {}}};
  });
  go_back(folder / "out", folder / "back");
  CHECK(contents(folder / "back") == contents(source));
}

TEST_CASE("a byte that changed anywhere is noticed and named, and nothing appears") {
  const TemporaryFolder folder;
  convert(write_sample(folder), folder / "out", "^model=>backbone");
  for (const auto& [name, bytes] : contents(folder / "out")) {
    const fs::path path = folder / "out" / name;
    for (std::size_t at = 0; at < bytes.size(); at += 1 + bytes.size() / 97) {
      flip(path, at);
      INFO(name << " at " << at);
      CHECK(failure(folder / "out", folder / "back").starts_with(path.string() + ":"));
      flip(path, at);
    }
  }
  CHECK_FALSE(fs::exists(folder / "back"));
  CHECK(failure(folder / "out", folder / "back") == "no error");
}

TEST_CASE("what has changed is told with both digests") {
  const TemporaryFolder folder;
  convert(write_sample(folder), folder / "out", "^model=>backbone");
  const fs::path shard = folder / "out" / kSecondShard;
  const std::string before = read_file(shard);
  flip(shard, before.size() - 1);
  CHECK(failure(folder / "out", folder / "back") ==
        shard.string() + ": byte " + std::to_string(before.size() - 5) +
            ": key \"lm_head.weight\": the tensor's bytes have digest " +
            digest_of(std::string_view("head ")).hex() + ", where the receipt says " +
            digest_of(std::string_view("head!")).hex() + kChanged);
  std::ofstream(shard, std::ios::binary) << before << "x";
  CHECK(failure(folder / "out", folder / "back") ==
        shard.string() + ": has " + std::to_string(before.size() + 1) + " bytes, where the receipt says " +
            std::to_string(before.size()) + kChanged);
  std::ofstream(shard, std::ios::binary) << before;
  std::string renamed = before;
  renamed.replace(renamed.find("lm_head"), 7, "lm_tail");
  std::ofstream(shard, std::ios::binary) << renamed;
  const std::size_t header = before.size() - 9;
  CHECK(failure(folder / "out", folder / "back") ==
        shard.string() + ": has a header of digest " +
            digest_of(std::string_view(renamed).substr(0, header)).hex() + ", where the receipt says " +
            digest_of(std::string_view(before).substr(0, header)).hex() + kChanged);
  std::ofstream(shard, std::ios::binary) << before;
  const std::string config = read_file(folder / "out/config.json");
  std::ofstream(folder / "out/config.json") << "{}";
  CHECK(failure(folder / "out", folder / "back") ==
        (folder / "out/config.json").string() + ": has digest " + digest_of(std::string_view("{}")).hex() +
            ", where the original had " + digest_of(config).hex() + kChanged);
  fs::remove(folder / "out/config.json");
  CHECK(failure(folder / "out", folder / "back") ==
        (folder / "out/config.json").string() +
            ": is missing, where the receipt says that it belongs to the checkpoint; the original cannot be "
            "made "
            "without it");
}

TEST_CASE("without a receipt it is said what cannot be known") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  const std::string advice =
      ": there is no receipt of a conversion here: without it nobody knows the old headers (their names, "
      "order, "
      "padding and __metadata__), index and split into shards; name it with --receipt, or give tensors their "
      "old "
      "names with `keyshift convert --direction save` and the transforms";
  CHECK(failure(source, folder / "back") == (source / "keyshift-receipt.json").string() + advice);
  const fs::path file = folder.write("a.safetensors", shard_of({{"x", "1"}}));
  CHECK(failure(file, folder / "b.safetensors") == (folder / "a.keyshift-receipt.json").string() + advice);
}

TEST_CASE("tensors that were dropped are named, and so is a receipt of another checkpoint") {
  const TemporaryFolder folder;
  convert(write_sample(folder), folder / "out", "^model=>backbone");
  const fs::path receipt = folder / "out/keyshift-receipt.json";
  const std::string good = read_file(receipt);
  edit_receipt(receipt, [](Receipt& r) {
    r.tensors[3].to = std::nullopt;
    r.tensors[3].digest = std::nullopt;
  });
  CHECK(failure(folder / "out", folder / "back") ==
        receipt.string() +
            ": 1 of the source's tensors were dropped (\"lm_head.weight\"), so the original cannot "
            "be made from what is left; take it from where it came");
  std::ofstream(receipt, std::ios::binary) << good;
  edit_receipt(receipt, [](Receipt& r) { r.shards[0].name = "other.safetensors"; });
  CHECK(failure(folder / "out", folder / "back") ==
        receipt.string() + ": tells of 2 shards, \"" + kSecondShard + "\" the first, where \"" +
            (folder / "out").string() + "\" has 2, \"" + kFirstShard +
            "\" the first; it belongs to another checkpoint");
}

TEST_CASE("a receipt that contradicts itself is refused before anything is written") {
  const TemporaryFolder folder;
  convert(write_sample(folder), folder / "out", "^model=>backbone");
  const fs::path path = folder / "out/keyshift-receipt.json";
  const std::string good = read_file(path);
  const auto refused = [&](const std::function<void(Receipt&)>& edit, const std::string& why) {
    edit_receipt(path, edit);
    CHECK(failure(folder / "out", folder / "back") == path.string() + ": " + why);
    CHECK_FALSE(fs::exists(folder / "back"));
    std::ofstream(path, std::ios::binary) << good;
  };
  refused([](Receipt& r) { r.tensors.pop_back(); },
          "tells of 3 tensors, where the source's headers have more");
  refused([](Receipt& r) { r.tensors.push_back(r.tensors.back()); },
          "tells of 5 tensors, where the source's headers have 4");
  refused(
      [](Receipt& r) { r.tensors[0].from = "x"; },
      "tells of \"x\", where the header of \"" + kFirstShard + "\" in it has \"model.layers.0.mlp.weight\"");
  refused([](Receipt& r) { r.tensors[0].to = "x"; }, "tells of \"x\", which no shard has");
  refused([](Receipt& r) { r.tensors[0].to = "lm_head.weight"; },
          "tells of \"lm_head.weight\" as another dtype or shape than it has");
  refused([](Receipt& r) { r.source_shards[0].header.remove_suffix(180); },
          "the header of \"" + kFirstShard + "\" in it has 20 bytes, and says that they are 200");
  refused([](Receipt& r) { r.source_shards[0].size = 30; },
          "the header of \"" + kFirstShard +
              "\" in it is none: the header should have 192 bytes, and only 22 follow its length: the "
              "download was cut, fetch it again");
}

TEST_CASE("where the receipt holds no digests, headers and sizes are all that is proven") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  convert(source, folder / "out", "^model=>backbone");
  edit_receipt(folder / "out/keyshift-receipt.json", [](Receipt& r) {
    for (Receipt::Tensor& tensor : r.tensors) tensor.digest = std::nullopt;
    for (Receipt::OutputShard& shard : r.shards) shard.digest = std::nullopt;
  });
  const RevertResult result = go_back(folder / "out", folder / "back");
  CHECK(contents(folder / "back") == contents(source));
  CHECK(result.digests == DigestsHeld::none);
  CHECK(result.proven == 0);
}

TEST_CASE("a side file that was rewritten comes back as it was, one that is new stays behind") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  convert(source, folder / "out", "^model=>backbone");
  edit_receipt(folder / "out/keyshift-receipt.json", [&](Receipt& r) {
    r.rewritten = {{"config.json", r.keep(read_file(source / "config.json"))}};
  });
  folder.write("out/config.json", "{\"rewritten\": true}");
  folder.write("out/notes.txt", "new");
  const RevertResult result = go_back(folder / "out", folder / "back");
  CHECK(contents(folder / "back") == contents(source));
  CHECK(result.warnings ==
        std::vector<std::string>{"\"notes.txt\" is no part of the original and stays behind"});
}

TEST_CASE("a folder that became a single file comes back without the files that did not go along") {
  const TemporaryFolder folder;
  folder.write("source/model.safetensors", shard_of({{"x", "1"}}));
  folder.write("source/config.json", "{}");
  convert(folder / "source", folder / "b.safetensors", "x=>y");
  CHECK(failure(folder / "b.safetensors", folder / "c.safetensors") ==
        "the original is one shard with 1 other files, which do not fit into the one file \"c.safetensors\"; "
        "name a "
        "folder as the destination");
  const RevertResult result = go_back(folder / "b.safetensors", folder / "back");
  CHECK(read_file(folder / "back/model.safetensors") == read_file(folder / "source/model.safetensors"));
  CHECK(
      result.warnings ==
      std::vector<std::string>{
          "\"config.json\" of the original did not go along with the conversion, and so does not come back"});
}
