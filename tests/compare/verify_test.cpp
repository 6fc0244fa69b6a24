#include "compare/verify.h"

#include <doctest/doctest.h>

#include "engine/rewrite.h"
#include "support/counting_progress.h"
#include "support/error_text.h"
#include "support/sample_checkpoint.h"
#include "transforms/transform_file.h"

using namespace keyshift;
using namespace keyshift::test;
namespace fs = std::filesystem;

namespace {

// A source, and its conversion under `^model=>backbone`.
struct Pair {
  TemporaryFolder folder;
  fs::path source = write_sample(folder);
  fs::path destination = folder / "out";

  Pair() {
    RewriteRequest request;
    request.plan.source = source;
    request.plan.transforms.transforms.push_back(parse_rename_option("^model=>backbone"));
    request.destination = destination;
    CountingProgress progress;
    rewrite(request, progress, Interrupt());
  }

  VerifyResult verified(const std::string& rename = "^model=>backbone") const {
    VerifyRequest request;
    request.source = source;
    request.destination = destination;
    request.transforms.transforms.push_back(parse_rename_option(rename));
    request.jobs = 2;
    return verify(
        request, [](std::uint64_t) {}, Interrupt());
  }

  void damage(const std::string& name, const std::string& from, const std::string& to) {
    std::string text = read_file(destination / name);
    REQUIRE(text.find(from) != std::string::npos);
    folder.write("out/" + name, text.replace(text.find(from), from.size(), to));
  }

  std::string only_finding() const {
    const VerifyResult result = verified();
    REQUIRE(result.findings.size() == 1);
    const Finding& finding = result.findings[0];
    return finding.kind + " | " + finding.file + " | " + finding.key + " | " + finding.message;
  }
};

}  // namespace

TEST_CASE("what rewrite made is verified") {
  const VerifyResult result = Pair().verified();
  CHECK(result.same());
  CHECK(result.tensors == 4);
  CHECK(result.bytes == 29);
  CHECK(result.side_files == 2);
}

TEST_CASE("a byte of a tensor that changed is named with its place") {
  Pair pair;
  pair.damage(kFirstShard, "abcdefghij", "abcdeXghij");
  CHECK(pair.only_finding() ==
        "bytes | " + kFirstShard +
            " | backbone.layers.1.mlp.weight | differs from \"model.layers.1.mlp.weight\" at byte 5 "
            "of the tensor");
}

TEST_CASE("another list of transforms is not what was done") {
  const VerifyResult result = Pair().verified("^model=>body");
  CHECK_FALSE(result.same());
  CHECK(result.findings.size() == 6);
  CHECK(result.findings[0].kind == "missing");
  CHECK(result.findings[0].key == "body.layers.0.mlp.weight");
  CHECK(result.findings[3].kind == "extra");
  CHECK(result.findings[3].key == "backbone.layers.0.mlp.weight");
}

TEST_CASE("dtype, shape, metadata, index and side files are compared, each by name") {
  {
    Pair pair;
    pair.damage(kFirstShard, "\"U8\"", "\"I8\"");
    CHECK(pair.only_finding() ==
          "dtype | " + kFirstShard + " | backbone.layers.0.mlp.weight | is I8, was U8");
  }
  {
    Pair pair;
    pair.damage(kFirstShard, "[10]", "[5,2]");
    pair.damage(kFirstShard, "  0123456789",
                " 0123456789");  // one space of padding pays for the longer shape
    CHECK(pair.only_finding() ==
          "shape | " + kFirstShard + " | backbone.layers.0.mlp.weight | is [5,2], was [10]");
  }
  {
    Pair pair;
    pair.damage(kSecondShard, "\"pt\"", "\"tf\"");
    CHECK(pair.only_finding() == "metadata | " + kSecondShard + " |  | __metadata__ differs from that of \"" +
                                     kSecondShard + "\": \"format\" has another value");
  }
  {
    Pair pair;
    pair.damage(kIndex, "\"total_size\": 29", "\"total_size\": 30");
    CHECK(pair.only_finding() == "index | " + kIndex + " |  | total_size is 30, the tensors have 29 bytes");
  }
  {
    Pair pair;
    pair.damage(kIndex, "\"lm_head.weight\": \"model-00002", "\"lm_head.weight\": \"model-00001");
    CHECK(pair.only_finding() == "index | " + kIndex + " | lm_head.weight | is in \"" + kSecondShard +
                                     "\", but the index says \"" + kFirstShard + "\"");
  }
  {
    Pair pair;
    pair.damage("config.json", "llama", "lLama");
    CHECK(pair.only_finding() == "side_file | config.json |  | differs from the source at byte 17");
  }
  {
    Pair pair;
    fs::remove(pair.destination / "tokenizer.json");
    CHECK(pair.only_finding() == "side_file | tokenizer.json |  | is missing");
  }
}

TEST_CASE("other layouts and shards are verified, and a subset only as the subset that it is") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  RewriteRequest request;
  request.plan.source = source;
  request.plan.options.layout = Layout::canonical;
  request.plan.options.max_shard_size = 12;
  request.plan.subset = {{"layers", "norm"}, {"layers.0"}};
  request.destination = folder / "out";
  CountingProgress progress;
  rewrite(request, progress, Interrupt());
  VerifyRequest question;
  question.source = source;
  question.destination = folder / "out";
  question.subset = request.plan.subset;
  const auto ask = [&] {
    return verify(
        question, [](std::uint64_t) {}, Interrupt());
  };
  CHECK(ask().same());
  CHECK(ask().tensors == 2);
  question.subset = {{"layers"}, {}};
  const VerifyResult other = ask();
  REQUIRE(other.findings.size() == 2);
  CHECK(other.findings[0].kind == "missing");
  CHECK(other.findings[0].key == "model.layers.0.mlp.weight");
  CHECK(other.findings[1].kind == "extra");
  CHECK(other.findings[1].key == "model.norm.weight");
}

TEST_CASE("the metadata of shards that were put together is that of all of them") {
  const TemporaryFolder folder;
  const fs::path source = folder.path() / "source";
  folder.write("source/" + kFirstShard, shard_of({{"a", "1"}}, R"({"format":"pt","x":"1"})"));
  folder.write("source/" + kSecondShard, shard_of({{"b", "2"}}, R"({"format":"tf"})"));
  folder.write("source/" + kIndex, R"({"metadata":{},"weight_map":{"a":")" + kFirstShard + R"(","b":")" +
                                       kSecondShard + R"("}})");
  VerifyRequest question;
  question.source = source;
  question.destination = folder / "out.safetensors";
  const auto verified = [&](const std::string& metadata) {
    folder.write("out.safetensors", shard_of({{"a", "1"}, {"b", "2"}}, metadata));
    const VerifyResult result = verify(
        question, [](std::uint64_t) {}, Interrupt());
    return result.same() ? std::string("same") : result.findings.at(0).message;
  };
  const std::string differs = "__metadata__ differs from that of the 2 shards that its tensors come from: ";
  CHECK(verified(R"({"format":"pt","x":"1"})") == "same");
  CHECK(verified(R"({"x":"1","format":"tf"})") == "same");
  CHECK(verified(R"({"format":"pt"})") == differs + "\"x\" is missing");
  CHECK(verified(R"({"format":"np","x":"1"})") == differs + "\"format\" has another value");
  CHECK(verified(R"({"format":"pt","x":"1","y":""})") == differs + "\"y\" is not in the source");
  CHECK(verified("") == differs + "is missing");
}

TEST_CASE("the comparison itself can be interrupted") {
  const Pair pair;
  VerifyRequest request;
  request.source = pair.source;
  request.destination = pair.destination;
  request.transforms.transforms.push_back(parse_rename_option("^model=>backbone"));
  Interrupt interrupt;
  interrupt.request();
  CHECK(error_text([&] {
          verify(
              request, [](std::uint64_t) {}, interrupt);
        }) == "interrupted; nothing was published");
}
