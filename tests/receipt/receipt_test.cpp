#include "receipt/receipt.h"

#include <doctest/doctest.h>

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
  receipt.previous = digest_of(std::string_view("before"));
  receipt.source_shards = {{"model.safetensors", 123, std::string("\x02\0\0\0\0\0\0\0{}", 10)}};
  receipt.source_index = Receipt::Text{"model.safetensors.index.json", "{}\n"};
  receipt.shards = {{"model.safetensors", 99, digest_of(std::string_view("shard"))}};
  receipt.others = {{"config.json", 2, digest_of(std::string_view("{}"))}};
  receipt.tensors = {{"a", "b", digest_of(std::string_view("1"))}, {"\"\n\xc3\xa9", "x", std::nullopt}};
  return receipt;
}

}  // namespace

TEST_CASE("a receipt that was written is read back the same") {
  const std::string text = write_receipt(sample());
  const Receipt read = parse_receipt(text, "r.json");
  CHECK(write_receipt(read) == text);
  CHECK(read.used == sample().used);
  CHECK(read.reversed == UsedTransforms::Which::flagged);
  CHECK(read.source_shards.at(0).header == sample().source_shards.at(0).header);
  CHECK(read.tensors.at(1).from == "\"\n\xc3\xa9");
  CHECK_FALSE(read.tensors.at(1).digest.has_value());
}

TEST_CASE("a receipt that is cut anywhere is refused") {
  const std::string text = write_receipt(sample());
  for (std::size_t length = 0; length < text.size(); ++length) {
    CHECK(error_text([&] { parse_receipt(text.substr(0, length), "r.json"); }).starts_with("r.json: "));
  }
}

TEST_CASE("any byte that changes is noticed") {
  const std::string text = write_receipt(sample());
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = static_cast<char>(changed[i] ^ 0x01);
    CHECK_THROWS_AS(parse_receipt(changed, "r.json"), Error);
  }
}

TEST_CASE("an edited receipt is told from one of another kind") {
  std::string text = write_receipt(sample());
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
