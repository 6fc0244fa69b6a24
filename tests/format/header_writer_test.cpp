#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <array>
#include <map>

#include "base/utf8.h"
#include "format/header.h"
#include "support/error_text.h"

using namespace keyshift;

namespace {

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

// The JSON text with its padding.
std::string text_of(const std::string& header) { return header.substr(8); }

struct Tensor {
  std::string key;
  std::vector<std::uint64_t> shape;
  std::uint64_t begin = 0, end = 0;
  Dtype dtype = Dtype::U8;
};

std::vector<HeaderEntry> entries_of(const std::vector<Tensor>& tensors) {
  std::vector<HeaderEntry> entries;
  for (const Tensor& t : tensors) entries.push_back({t.key, t.shape, t.begin, t.end, t.dtype});
  return entries;
}

std::string any_key() {
  std::string key;
  for (const std::uint32_t codepoint : *rc::gen::arbitrary<std::vector<std::uint32_t>>()) {
    utf8::append(key, codepoint % 3 == 0 ? codepoint % 0x80 : codepoint % 0xD800);
  }
  return key;
}

// Tensors of different names that fill a data section, in the order of the table, not of the data.
std::vector<Tensor> any_table() {
  std::map<std::string, Tensor> tensors;
  for (int count = *rc::gen::inRange(0, 12); count > 0; --count) {
    Tensor tensor;
    tensor.key = any_key();
    if (tensor.key == kMetadataKey) continue;
    tensor.dtype = static_cast<Dtype>(*rc::gen::inRange(0, kDtypeCount));
    std::uint64_t elements = 1;
    for (int rank = *rc::gen::inRange(0, 12); rank > 0; --rank) {
      tensor.shape.push_back(*rc::gen::inRange<std::uint64_t>(0, 3));
      elements *= tensor.shape.back();
    }
    tensor.shape.push_back(8);  // whole bytes, whatever the dtype
    tensor.end = elements * static_cast<std::uint64_t>(bits(tensor.dtype));
    tensors.emplace(tensor.key, tensor);
  }
  std::vector<Tensor> table;
  std::uint64_t at = 0;
  for (auto& [key, tensor] : tensors) {
    tensor.begin = at;
    at = tensor.end += at;
    table.insert(*rc::gen::arbitrary<bool>() ? table.begin() : table.end(), tensor);
  }
  return table;
}

}  // namespace

TEST_CASE("F13: a header is compact, with __metadata__ first") {
  const std::array<std::uint64_t, 2> shape = {2, 3};
  const std::array<HeaderEntry, 2> entries = {
      {{"b", shape, 0, 24, Dtype::F32}, {"a", {}, 24, 26, Dtype::BF16}}};
  CHECK(
      text_of(write_header(entries, Metadata{{"format", "pt"}, {"x", "\n"}}, {1, 0})) ==
      R"({"__metadata__":{"format":"pt","x":"\n"},"b":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"a":{"dtype":"BF16","shape":[],"data_offsets":[24,26]}})");
  CHECK(text_of(write_header(entries, std::nullopt, {1, 0})).starts_with(R"({"b":{)"));
  CHECK(text_of(write_header({}, Metadata{}, {1, 0})) == R"({"__metadata__":{}})");
  CHECK(text_of(write_header({}, std::nullopt, {})) == "{}      ");
}

TEST_CASE("F14: keys are escaped as serde_json does it") {
  const std::array<HeaderEntry, 1> entries = {{{"\"\\/\x01\té\x7f", {}, 0, 1, Dtype::U8}}};
  CHECK(text_of(write_header(entries, std::nullopt, {1, 0})) ==
        "{\"\\\"\\\\/\\u0001\\té\x7f\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}");
}

TEST_CASE("F15: the data section starts where it was asked to") {
  for (const std::uint64_t modulus : {1U, 8U, 64U, 4096U}) {
    for (std::uint64_t remainder = 0; remainder < modulus; remainder += 7) {
      const std::string header = write_header({}, std::nullopt, {modulus, remainder});
      CHECK(header.size() % modulus == remainder);
      CHECK(header.size() < 10 + modulus);
      CHECK(header_length(bytes_of(header), header.size(), "f") == header.size() - 8);
    }
  }
}

TEST_CASE("F16: a header of exactly 100,000,000 bytes is written, a longer one refused") {
  const std::string key(
      kMaxHeaderLength - text_of(write_header(std::array<HeaderEntry, 1>{}, std::nullopt, {1, 0})).size(),
      'k');
  const std::array<HeaderEntry, 1> entries = {{{key, {}, 0, 0, Dtype::U8}}};
  CHECK(write_header(entries, std::nullopt, {1, 0}).size() == 8 + kMaxHeaderLength);
  const std::string longer = key + "k";
  const std::array<HeaderEntry, 1> too_long = {{{longer, {}, 0, 0, Dtype::U8}}};
  CHECK(test::error_text([&] {
          write_header(too_long, std::nullopt, {1, 0});
        }) ==
        "the new header would have 100000001 bytes, and it may have 100000000 at most: spread the tensors "
        "over more shards");
}

TEST_CASE("shapes of any rank and the largest numbers are written in full") {
  const std::vector<std::uint64_t> shape(100, UINT64_MAX);
  const std::array<HeaderEntry, 1> entries = {{{"a", shape, UINT64_MAX, UINT64_MAX, Dtype::F8_E4M3FNUZ}}};
  std::string expected = R"({"a":{"dtype":"F8_E4M3FNUZ","shape":[)";
  for (int i = 0; i < 100; ++i) expected += i == 0 ? "18446744073709551615" : ",18446744073709551615";
  expected += R"(],"data_offsets":[18446744073709551615,18446744073709551615]}})";
  CHECK(text_of(write_header(entries, std::nullopt, {1, 0})) == expected);
}

TEST_CASE("what is written is read back as the same table") {
  CHECK(rc::check([] {
    const std::vector<Tensor> table = any_table();
    std::optional<Metadata> metadata;
    if (*rc::gen::arbitrary<bool>())
      metadata = Metadata{{any_key() + "1", any_key()}, {any_key() + "2", any_key()}};
    std::string file =
        write_header(entries_of(table), metadata, {*rc::gen::inRange<std::uint64_t>(1, 5000), 0});
    std::uint64_t end = 0;
    for (const Tensor& tensor : table) end = std::max(end, tensor.end);
    file.append(end, static_cast<char>(*rc::gen::inRange(0, 256)));

    const Header header = Header::read(bytes_of(file), "f");
    RC_ASSERT(header.metadata() == metadata);
    RC_ASSERT(header.tensors().size() == table.size());
    for (std::size_t i = 0; i < table.size(); ++i) {
      const TensorInfo& info = header.tensors()[i];
      RC_ASSERT(info.key == table[i].key);
      RC_ASSERT(info.dtype == table[i].dtype);
      RC_ASSERT(std::vector<std::uint64_t>(info.shape.begin(), info.shape.end()) == table[i].shape);
      RC_ASSERT(info.begin == table[i].begin);
      RC_ASSERT(info.end == table[i].end);
      RC_ASSERT(file[info.text_offset] == '"');
    }
    RC_ASSERT(!header.oddities().leading_blanks);
    RC_ASSERT(header.oddities().repeated_keys.empty());
  }));
}
