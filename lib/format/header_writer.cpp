#include <fmt/format.h>

#include <array>

#include "base/error.h"
#include "base/json_writer.h"
#include "base/text_builder.h"
#include "format/header.h"

namespace keyshift {

namespace {

// Bytes that a description may need beside its dimensions.
constexpr std::size_t kDescription = 80 + 2 * TextBuilder::kLongestNumber;

/// Writes offsets; most tensors begin where the one before ends.
class OffsetWriter {
 public:
  void add(TextBuilder& out, std::uint64_t offset) {
    const std::size_t before = out.size();
    if (offset == last_ && length_ > 0) {
      out.add({digits_.data(), length_});
      return;
    }
    out.add(offset);
    const std::string_view written = out.text().substr(before);
    length_ = written.copy(digits_.data(), digits_.size());
    last_ = offset;
  }

 private:
  std::uint64_t last_ = 0;
  std::array<char, TextBuilder::kLongestNumber> digits_;
  std::size_t length_ = 0;
};

void add_entry(TextBuilder& out, const HeaderEntry& entry, OffsetWriter& offsets) {
  out.add_string<PlainBytes::utf8>(entry.key,
                                   kDescription + (1 + TextBuilder::kLongestNumber) * entry.shape.size());
  out.add(R"(:{"dtype":")");
  out.add(name(entry.dtype));
  out.add(R"(","shape":[)");
  for (std::size_t i = 0; i < entry.shape.size(); ++i) {
    if (i > 0) out.add(",");
    out.add(entry.shape[i]);
  }
  out.add(R"(],"data_offsets":[)");
  offsets.add(out, entry.begin);
  out.add(",");
  offsets.add(out, entry.end);
  out.add("]}");
}

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
  std::string start(8, '\0');
  start += '{';
  if (metadata) append_metadata(start, *metadata);
  TextBuilder text(start.size() + expected_size(entries));
  text.add(start);
  OffsetWriter offsets;
  bool first = !metadata;
  for (const HeaderEntry& entry : entries) {
    text.reserve(1);
    if (!first) text.add(",");
    first = false;
    add_entry(text, entry, offsets);
  }
  std::string out = text.finish();
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
