#include "receipt/receipt.h"

#include <doctest/doctest.h>

#include <numeric>

#include "support/error_text.h"
#include "transforms/transform_file.h"

using namespace keyshift;
using keyshift::test::error_text;

namespace {

constexpr const char* kAdvice =
    "; a receipt cannot be mended: use the one that the conversion wrote, or convert again";

Receipt sample() {
  Receipt receipt;
  receipt.direction = Direction::save;
  receipt.reversed = UsedTransforms::Which::flagged;
  receipt.transforms.base_model_prefix = "model";
  receipt.transforms.transforms = {parse_rename_option("a=>b"), add_prefix_option("model")};
  receipt.used = {true, false};
  receipt.target = digest_of(std::string_view("keys"));
  receipt.layout = Receipt::Layout::canonical;
  receipt.max_shard_size = 5'000'000'000;
  receipt.keep_patterns = {"^model"};
  receipt.drop_patterns = {"rotary", "\"\n"};
  receipt.previous = "the receipt before";
  receipt.source_shards = {{"model.safetensors", 123, std::string_view("\x02\0\0\0\0\0\0\0{}", 10)}};
  receipt.source_index = Receipt::Text{"model.safetensors.index.json", "{}\n"};
  receipt.source_files = {{"config.json", 3, digest_of(std::string_view("{ }"))}};
  receipt.shards = {{"model.safetensors", 99, digest_of(std::string_view("header")),
                     digest_of(std::string_view("shard")), sha256_of("shard")},
                    {"more.safetensors", 98, digest_of(std::string_view("other")), {}, {}}};
  receipt.others = {{"config.json", 2, digest_of(std::string_view("{}")), sha256_of("{}")},
                    {"sub/vocab.txt", 0, digest_of(std::string_view()), {}}};
  receipt.rewritten = {{"config.json", "{ }"}};
  receipt.tensors = {{"a", "b", digest_of(std::string_view("1"))},
                     {"\"\n\xc3\xa9", "x", std::nullopt},
                     {"gone", std::nullopt, std::nullopt}};
  return receipt;
}

std::string written(const Receipt& receipt) {
  const std::vector<std::string> pieces = write_receipt(receipt);
  return std::accumulate(pieces.begin(), pieces.end(), std::string());
}

}  // namespace

TEST_CASE("a receipt that was written is read back the same") {
  const std::string text = written(sample());
  const Receipt read = parse_receipt(text, "r.json");
  CHECK(written(read) == text);
  CHECK(read.used == sample().used);
  CHECK(read.reversed == UsedTransforms::Which::flagged);
  CHECK(read.target == sample().target);
  CHECK(read.layout == Receipt::Layout::canonical);
  CHECK(read.max_shard_size == 5'000'000'000);
  CHECK(read.keep_patterns == sample().keep_patterns);
  CHECK(read.drop_patterns == sample().drop_patterns);
  CHECK(read.previous == "the receipt before");
  CHECK(read.source_shards.at(0).header == sample().source_shards.at(0).header);
  CHECK(read.source_files.at(0).size == 3);
  CHECK(read.shards.at(0).sha256 == sha256_of("shard"));
  CHECK_FALSE(read.shards.at(1).digest.has_value());
  CHECK(read.others.at(0).sha256 == sha256_of("{}"));
  CHECK(read.rewritten.at(0).text == "{ }");
  CHECK(read.tensors.at(1).from == "\"\n\xc3\xa9");
  CHECK_FALSE(read.tensors.at(1).digest.has_value());
  CHECK_FALSE(read.tensors.at(2).to.has_value());
  CHECK(digests_held(read) == DigestsHeld::some);
}

TEST_CASE("threads make no difference") { CHECK(write_receipt(sample(), 4) == write_receipt(sample(), 1)); }

TEST_CASE("a target is known by its keys, in whatever order they came") {
  TargetKeys one, two;
  for (const char* key : {"a", "b", "c\n"}) one.keys.emplace(key);
  for (const char* key : {"c\n", "b", "a"}) two.keys.emplace(key);
  CHECK(digest_of_target(one) == digest_of_target(two));
  CHECK(digest_of_target(one) == digest_of(std::string_view(R"(["a","b","c\n"])")));
  two.keys.emplace("d");
  CHECK(digest_of_target(one) != digest_of_target(two));
}

TEST_CASE("a receipt that is cut anywhere is refused") {
  const std::string text = written(sample());
  for (std::size_t length = 0; length < text.size(); ++length) {
    CHECK(error_text([&] { parse_receipt(text.substr(0, length), "r.json"); }).starts_with("r.json: "));
  }
}

TEST_CASE("any byte that changes is noticed") {
  const std::string text = written(sample());
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = static_cast<char>(changed[i] ^ 0x01);
    CHECK_THROWS_AS(parse_receipt(changed, "r.json"), Error);
  }
}

TEST_CASE("an edited receipt is told from one of another kind") {
  std::string text = written(sample());
  std::string other = text;
  other.replace(other.find("keyshift-receipt/1"), 18, "keyshift-receipt/9");
  CHECK(error_text([&] { parse_receipt(other, "r.json"); }) ==
        std::string("r.json: has schema \"keyshift-receipt/9\", where \"keyshift-receipt/1\" is read") +
            kAdvice);
  text.replace(text.find("config.json"), 11, "CONFIG.json");
  CHECK(error_text([&] { parse_receipt(text, "r.json"); }) ==
        std::string("r.json: is not what its own digest says, so it was damaged or edited") + kAdvice);
  CHECK(error_text([&] { parse_receipt("{}", "r.json"); }) ==
        std::string("r.json: member \"schema\" is missing") + kAdvice);
}

TEST_CASE("a receipt has a fixed place in a folder and beside a file") {
  CHECK(kReceiptName == "keyshift-receipt.json");
  CHECK(receipt_name_beside("model.safetensors") == "model.keyshift-receipt.json");
}

namespace {

// The sample with one change and a digest of itself that is right: somebody made it so on purpose.
std::string forged(const std::string& old_text, const std::string& new_text) {
  std::string text = written(sample());
  const std::size_t at = text.find(old_text);
  REQUIRE(at != std::string::npos);
  text.replace(at, old_text.size(), new_text);
  const std::size_t end = text.rfind(" \"receipt_digest\"");
  return text.substr(0, end) + " \"receipt_digest\": \"" + digest_of(text.substr(0, end)).hex() + "\"\n}\n";
}

void refused(const std::string& old_text, const std::string& new_text, const std::string& why) {
  CHECK(error_text([&] { parse_receipt(forged(old_text, new_text), "r.json"); }) ==
        "r.json: " + why + kAdvice);
}

}  // namespace

TEST_CASE("a receipt that somebody forged is refused with the member that lies") {
  refused("\"header_size\":10", "\"header_size\":11", "member \"header\" does not unpack to 11 bytes");
  refused("\"header_size\":10", "\"header_size\":9", "member \"header\" does not unpack to 9 bytes");
  refused("\"header_size\":10", "\"header_size\":100000009",
          "member \"header\" claims 100000009 bytes, 100000008 at most are read");
  refused("\"header_size\":10", "\"header_size\":-1", "member \"header_size\" is -1, not a size in bytes");
  refused("\"name\":\"config.json\"", "\"name\":\"../config.json\"",
          "names the file \"../config.json\", which is no place inside a folder");
  refused("\"name\":\"sub/vocab.txt\"", "\"name\":\"/etc/passwd\"",
          "names the file \"/etc/passwd\", which is no place inside a folder");
  refused("\"name\":\"sub/vocab.txt\"", "\"name\":\"\"",
          "names the file \"\", which is no place inside a folder");
  refused("[true,false]", "[true]", "has 1 flags for 2 transforms");
  refused("[true,false]", "[true,0]", "member \"used\" holds what is no boolean");
  refused("\"digests\": \"some\"", "\"digests\": \"all\"",
          "member \"digests\" does not say what \"tensors\" holds");
  refused("\"layout\": \"canonical\"", "\"layout\": \"other\"",
          "member \"layout\" is neither keep nor canonical");
  refused("\"direction\": \"save\"", "\"direction\": 1", "member \"direction\" is not a string");
  refused("\"reversed\": \"flagged\"", "\"reversed\": \"some\"",
          "member \"reversed\" is neither all nor fresh nor flagged");
  refused("\"in_place\": false", "\"in_plaza\": false", "member \"in_place\" is missing");
  refused("\"keep\": [\"^model\"]", "\"keep\": [1]", "member \"keep\" holds what is no pattern");
  refused("[\"gone\",null,null]", "[\"gone\",null]",
          "a row of \"tensors\" is not [old key, new key or null, digest or null]");
  refused("[\"gone\",null,null]", "[null,\"gone\",null]",
          "a row of \"tensors\" is not [old key, new key or null, digest or null]");
  refused("[\"gone\",null,null]", "[\"gone\",null,\"00\"]",
          "\"00\" is not a digest of 32 lower-case hex digits");
  refused("\"sha256\":\"", "\"sha256\":\"X",
          "\"X" + sha256_of("shard").hex() + "\" is not a SHA-256 of 64 lower-case hex digits");
  refused("\"previous\": {\"digest\":\"" + digest_of(*sample().previous).hex(),
          "\"previous\": {\"digest\":\"" + digest_of(std::string_view("other")).hex(),
          "holds a previous receipt that is not the one whose digest it gives");
}
