// The fast readers of the plain form against those of everything that JSON allows.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "base/error.h"
#include "format/header_readers.h"
#include "format/index_readers.h"
#include "support/shard_builder.h"

using namespace keyshift;

namespace {

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

/// Everything that a header says, or the whole text of its error.
std::string told(const Header& header) {
  std::string text = std::to_string(header.length()) + ' ' + std::to_string(header.data_size());
  for (std::size_t i = 0; i < header.tensors().size(); ++i) {
    const TensorInfo& tensor = header.tensors()[i];
    text += "\n" + std::string(tensor.key) + ' ' + std::string(name(tensor.dtype)) + ' ' +
            std::to_string(tensor.begin) + ' ' + std::to_string(tensor.end) + ' ' +
            std::to_string(tensor.text_offset) + ' ' + std::to_string(header.key_hashes()[i]);
    for (const std::uint64_t length : tensor.shape) text += " " + std::to_string(length);
  }
  for (const std::uint32_t i : header.by_offset()) text += " #" + std::to_string(i);
  text += header.metadata() ? "\nmetadata" : "\nnone";
  for (const auto& [name, value] : header.metadata().value_or(Metadata()))
    text.append(name).append("=").append(value);
  const HeaderOddities& odd = header.oddities();
  for (const std::string& key : odd.repeated_keys) text += "\nrepeated " + key;
  return text + (odd.leading_blanks ? " blanks" : "") + (odd.entries_as_arrays ? " arrays" : "") +
         (odd.empty_metadata ? " empty" : "");
}

std::string told(const Index& index) {
  std::string text = index.total_size ? std::to_string(*index.total_size) : "-";
  for (const auto& [name, value] : index.metadata.members) text += " " + name + "=" + value.text;
  for (const auto& [key, shard] : index.weight_map) text.append("\n").append(key).append(" ").append(shard);
  for (std::size_t i = 0; i < index.weight_map.size(); ++i)
    text += " #" + std::to_string(index.keys.find(index.weight_map[i].first));
  for (const std::string& warning : index.warnings) text += "\n" + warning;
  return text + "\n" + std::to_string(index.extra.size());
}

template <class Read>
std::string verdict(Read read) {
  try {
    return told(read());
  } catch (const Error& error) {
    return std::string("error ") + error.what();
  }
}

enum class Plain { taken, refused, left };

/// What the fast reader does with a file; where it does anything, the other one must do the same.
Plain compare_headers(const std::string& file) {
  const std::string expected = verdict([&] { return read_any_header(bytes_of(file), "f"); });
  try {
    const auto plain = read_plain_header(bytes_of(file), "f");
    if (!plain) return Plain::left;
    CHECK_MESSAGE(told(*plain) == expected, file);
    return Plain::taken;
  } catch (const Error& error) {
    CHECK_MESSAGE(std::string("error ") + error.what() == expected, file);
    return Plain::refused;
  }
}

Plain compare_indexes(const std::string& text) {
  const auto plain = read_plain_index({text, std::make_shared<int>()});
  if (!plain) return Plain::left;
  CHECK_MESSAGE(told(*plain) == verdict([&] { return read_any_index(text, "f"); }), text);
  return Plain::taken;
}

class Maker {
 public:
  explicit Maker(unsigned seed) : random_(seed) {}
  std::size_t below(std::size_t limit) { return random_() % limit; }
  template <class T>
  const T& one_of(const std::vector<T>& all) {
    return all[below(all.size())];
  }

  std::string key() {
    static const std::vector<std::string> odd = {"__metadata__", "", "\xC3\xA9", "\x7f", "'", "a b"};
    if (below(20) == 0) return one_of(odd);
    std::string key = "model";
    for (std::size_t parts = 1 + below(6); parts > 0; --parts) key += "." + std::to_string(below(300));
    return key;
  }

  std::string header(std::size_t& data) {
    static const std::vector<std::string> dtypes = {"BF16", "BF16", "F32", "U8", "F8_E4M3", "F4", "I64"};
    static const std::vector<std::string> metadata = {"",
                                                      "",
                                                      R"("__metadata__":{"format":"pt"},)",
                                                      R"("__metadata__":{"a":"","b":"x y"},)",
                                                      R"("__metadata__":{},)",
                                                      R"("__metadata__":{"a":"1","a":"2"},)"};
    std::string json = "{" + one_of(metadata);
    data = 0;
    const std::size_t count = 1 + below(6);
    for (std::size_t i = 0; i < count; ++i) {
      const std::string dtype = one_of(dtypes);
      std::size_t bits = static_cast<std::size_t>(keyshift::bits(*parse_dtype(dtype)));
      json += (i > 0 ? ",\"" : "\"") + key() + R"(":{"dtype":")" + dtype + R"(","shape":[)";
      const std::size_t rank = below(10) == 0 ? 9 : below(5);
      for (std::size_t d = 0; d < rank; ++d) {
        const std::size_t length = below(4);
        bits *= length;
        json += (d > 0 ? "," : "") + std::to_string(length);
      }
      json += R"(],"data_offsets":[)" + std::to_string(data) + "," + std::to_string(data + bits / 8) + "]}";
      data += bits / 8;
    }
    json += "}";
    return json + std::string(below(9), ' ');
  }

  std::string index() {
    static const std::vector<std::string> metadata = {R"({"total_size":42})",
                                                      R"({"total_size": 42, "total_parameters": 7})",
                                                      "{}",
                                                      R"({"total_size":"42"})",
                                                      R"({"total_size":1,"total_size":2})",
                                                      R"({"total_size":4.5})",
                                                      "null"};
    static const std::vector<std::string> shards = {
        "a.safetensors", "a.safetensors", "b/c.safetensors", "../x.safetensors", "", "\\u0061.safetensors"};
    std::string json = "{\n  \"metadata\": " + one_of(metadata) + ",\n  \"weight_map\": {";
    const std::size_t count = below(6);
    for (std::size_t i = 0; i < count; ++i)
      json += (i > 0 ? ",\n    \"" : "\n    \"") + key() + "\": \"" +
              shards[below(below(4) == 0 ? shards.size() : 3)] + "\"";
    return json + "\n  }\n}\n";
  }

  /// One small change, of those that break something or nearly do.
  void mutate(std::string& json) {
    static const std::vector<std::string> pieces = {" ",
                                                    "\n",
                                                    ",",
                                                    "\"",
                                                    "\\",
                                                    "0",
                                                    "9",
                                                    "[",
                                                    "]",
                                                    "{",
                                                    "}",
                                                    ":",
                                                    "1e3",
                                                    "-0",
                                                    "00",
                                                    "null",
                                                    "\t",
                                                    "\xff",
                                                    "\\u0041",
                                                    "18446744073709551615",
                                                    "99999999999999999999",
                                                    "\"dtype\":",
                                                    "\"shape\":[",
                                                    std::string(1, '\0')};
    const std::size_t at = below(json.size());
    switch (below(4)) {
      case 0:
        json.erase(at, 1 + below(4));
        break;
      case 1:
        json.insert(at, one_of(pieces));
        break;
      case 2:
        json.replace(at, 1, one_of(pieces));
        break;
      default:
        std::swap(json[at], json[below(json.size())]);
    }
  }

 private:
  std::mt19937 random_;
};

}  // namespace

TEST_CASE(
    "a header that the fast reader takes is what the general reader makes of it, error texts included") {
  std::size_t taken = 0, refused = 0, left = 0;
  for (unsigned seed = 0; seed < 6000; ++seed) {
    Maker maker(seed);
    std::size_t data = 0;
    std::string json = maker.header(data);
    for (unsigned changes = seed % 3; changes > 0; --changes) maker.mutate(json);
    if (maker.below(8) == 0) data += maker.below(3);
    switch (compare_headers(test::shard_file(json, std::string(data, 'x')))) {
      case Plain::taken:
        ++taken;
        break;
      case Plain::refused:
        ++refused;
        break;
      case Plain::left:
        ++left;
    }
  }
  // Each answer was put to the test.
  CHECK(taken > 500);
  CHECK(refused > 200);
  CHECK(left > 1000);
}

TEST_CASE("an index that the fast reader takes is what the general reader makes of it") {
  std::size_t taken = 0, left = 0;
  for (unsigned seed = 0; seed < 6000; ++seed) {
    Maker maker(seed);
    std::string json = maker.index();
    for (unsigned changes = seed % 3; changes > 0; --changes) maker.mutate(json);
    (compare_indexes(json) == Plain::taken ? taken : left) += 1;
  }
  CHECK(taken > 300);
  CHECK(left > 1000);
}

TEST_CASE("what the safetensors library writes is taken by the fast reader") {
  const std::string json =
      R"({"__metadata__":{"format":"pt"},"a.0":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},)"
      R"("b":{"dtype":"U8","shape":[],"data_offsets":[8,9]},"c":{"dtype":"U8","shape":[0],"data_offsets":[9,9]}}  )";
  CHECK(compare_headers(test::shard_file(json, "123456789")) == Plain::taken);
}

TEST_CASE("what transformers writes as an index is taken by the fast reader") {
  CHECK(compare_indexes(write_index(
            std::vector<WeightMap::Entry>{{"a", "1.safetensors"}, {"b", "2.safetensors"}}, 12, {})) ==
        Plain::taken);
}

TEST_CASE("a plain header of many shapes is taken, whatever was expected of its length") {
  std::string json = "{";
  for (int i = 0; i < 3000; ++i)
    json += (i > 0 ? ",\"" : "\"") + std::to_string(i) +
            R"(":{"dtype":"U8","shape":[1,1,1,0],"data_offsets":[0,0]})";
  CHECK(compare_headers(test::shard_file(json + "}", "")) == Plain::taken);
}

TEST_CASE("an empty dtype and an empty name of a shard are left to the general reader") {
  CHECK(compare_headers(test::shard_file(R"({"a":{"dtype":"","shape":[],"data_offsets":[0,1]}})", "x")) ==
        Plain::left);
  CHECK(compare_indexes(R"({"metadata":{"total_size":1},"weight_map":{"a":""}})") == Plain::left);
}

TEST_CASE("a text that is cut anywhere is left to the general reader") {
  std::size_t data = 0;
  const std::string json = Maker(3).header(data);
  for (std::size_t size = 0; size + 9 < json.size(); ++size)
    CHECK(compare_headers(test::shard_file(json.substr(0, size), "")) == Plain::left);
}
