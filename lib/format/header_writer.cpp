#include <fmt/format.h>

#include <array>
#include <charconv>

#include "base/error.h"
#include "base/json_writer.h"
#include "format/header.h"

namespace keyshift {

namespace {

// What comes behind a key, put together in a buffer of its own: one append an entry.
class Description {
 public:
  explicit Description(std::string& out) : out_(out) {}

  void append(const HeaderEntry& entry) {
    add(R"(:{"dtype":")");
    add(name(entry.dtype));
    add(R"(","shape":[)");
    for (std::size_t i = 0; i < entry.shape.size(); ++i) {
      if (i > 0) add(",");
      add(entry.shape[i]);
    }
    add(R"(],"data_offsets":[)");
    add(entry.begin);
    add(",");
    add(entry.end);
    add("]}");
    flush();
  }

 private:
  static constexpr std::size_t kRoom = 32;  // bytes that one add() may need

  void add(std::string_view text) {
    make_room();
    at_ = text.copy(buffer_.data() + at_, text.size()) + at_;
  }
  void add(std::uint64_t number) {
    make_room();
    char* end = std::to_chars(buffer_.data() + at_, buffer_.data() + buffer_.size(), number).ptr;
    at_ = static_cast<std::size_t>(end - buffer_.data());
  }
  void make_room() {
    if (buffer_.size() - at_ < kRoom) flush();
  }
  void flush() {
    out_.append(buffer_.data(), at_);
    at_ = 0;
  }

  std::string& out_;
  std::array<char, 256> buffer_;
  std::size_t at_ = 0;
};

void append_metadata(std::string& out, const Metadata& metadata) {
  json::append_string(out, kMetadataKey);
  out += ":{";
  bool first = true;
  for (const auto& [name, value] : metadata) {
    if (!first) out += ',';
    first = false;
    json::append_string(out, name);
    out += ':';
    json::append_string(out, value);
  }
  out += '}';
}

std::size_t expected_size(std::span<const HeaderEntry> entries) {
  std::size_t size = 4096;
  for (const HeaderEntry& entry : entries) size += entry.key.size() + 72 + 12 * entry.shape.size();
  return size;
}

}  // namespace

std::string write_header(std::span<const HeaderEntry> entries, const std::optional<Metadata>& metadata,
                         HeaderPadding padding) {
  std::string out;
  out.reserve(expected_size(entries));
  out.append(8, '\0');
  out += '{';
  if (metadata) append_metadata(out, *metadata);
  Description description(out);
  for (const HeaderEntry& entry : entries) {
    if (out.back() != '{') out += ',';
    json::append_string(out, entry.key);
    description.append(entry);
  }
  out += '}';
  const std::uint64_t past =
      (out.size() + padding.modulus - padding.remainder % padding.modulus) % padding.modulus;
  if (past != 0) out.append(padding.modulus - past, ' ');
  const std::uint64_t length = out.size() - 8;
  if (length > kMaxHeaderLength) {
    throw Error(
        ErrorKind::header_too_large,
        fmt::format("the new header would have {} bytes, and it may have 100000000 at most: spread the "
                    "tensors over more shards",
                    length));
  }
  for (std::size_t i = 0; i < 8; ++i) out[i] = static_cast<char>(length >> (8 * i));
  return out;
}

}  // namespace keyshift
