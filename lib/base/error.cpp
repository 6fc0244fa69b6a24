#include "base/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/utf8.h"

namespace keyshift {

namespace {

// In the order of the enumeration; name() asserts that the two agree in length.
constexpr std::array<std::string_view, 42> kNames = {
    "usage",
    "header_too_small",
    "header_too_large",
    "header_beyond_file",
    "header_not_utf8",
    "header_not_json",
    "header_not_object",
    "metadata_invalid",
    "entry_invalid",
    "dtype_unknown",
    "offsets_invalid",
    "size_overflow",
    "size_misaligned",
    "size_mismatch",
    "data_not_covered",
    "index_invalid",
    "index_mismatch",
    "shard_missing",
    "shard_name_unsafe",
    "key_in_two_shards",
    "checkpoint_not_found",
    "checkpoint_ambiguous",
    "transform_file_invalid",
    "transform_unknown",
    "transform_invalid",
    "pattern_invalid",
    "pattern_limit",
    "rename_failed",
    "collision",
    "key_empty",
    "key_reserved",
    "key_not_utf8",
    "operation_unsupported",
    "receipt_invalid",
    "journal_present",
    "journal_invalid",
    "source_changed",
    "manifest_invalid",
    "batch_invalid",
    "config_invalid",
    "io",
    "interrupted",
};
static_assert(kNames.size() == static_cast<std::size_t>(ErrorKind::interrupted) + 1);

// The line of `text` that holds `offset`, at most 160 bytes of it around the place.
struct Line {
  std::size_t number, column, begin, end;
};

Line line_at(std::string_view text, std::size_t offset) {
  offset = std::min(offset, text.size());
  const auto newlines = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(offset), '\n');
  const std::size_t before = offset == 0 ? std::string_view::npos : text.rfind('\n', offset - 1);
  std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
  std::size_t end = std::min(text.find('\n', offset), text.size());
  const std::size_t column = offset - begin + 1;
  if (offset - begin > 80) begin = offset - 80;
  if (end - offset > 80) end = offset + 80;
  return {static_cast<std::size_t>(newlines) + 1, column, begin, end};
}

// Quotation marks removed: an excerpt shows the line itself.
std::string printable(std::string_view text) {
  const std::string shown = quote(text, text.size() * 4 + 4);
  return shown.substr(1, shown.size() - 2);
}

}  // namespace

ErrorCategory category(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::usage:
      return ErrorCategory::usage;
    case ErrorKind::io:
      return ErrorCategory::io;
    case ErrorKind::interrupted:
      return ErrorCategory::interrupted;
    default:
      return ErrorCategory::input;
  }
}

std::string_view name(ErrorKind kind) noexcept { return kNames[static_cast<std::size_t>(kind)]; }

Error&& Error::in(std::string file) && {
  file_ = std::move(file);
  text_.clear();
  return std::move(*this);
}

Error&& Error::at(std::uint64_t offset) && {
  offset_ = offset;
  text_.clear();
  return std::move(*this);
}

Error&& Error::for_key(std::string_view key) && {
  key_ = std::string(key);
  text_.clear();
  return std::move(*this);
}

Error&& Error::showing(std::string_view text, std::uint64_t offset) && {
  const Line line = line_at(text, offset);
  const std::string before = printable(text.substr(line.begin, offset - line.begin));
  const std::string after = printable(text.substr(std::min<std::size_t>(offset, text.size()),
                                                  line.end - std::min<std::size_t>(offset, line.end)));
  const std::string number = std::to_string(line.number);
  offset_ = offset;
  position_ = fmt::format("{}:{}", line.number, line.column);
  excerpt_ = fmt::format("\n{} | {}{}\n{:{}} | {:{}}^", number, before, after, "", number.size(), "",
                         utf8::count_codepoints(before));
  text_.clear();
  return std::move(*this);
}

const char* Error::what() const noexcept {
  try {
    if (text_.empty()) const_cast<Error*>(this)->render();
    return text_.c_str();
  } catch (...) {
    return message_.c_str();
  }
}

void Error::render() {
  std::string place = file_.empty() ? "" : printable(file_) + ":";
  if (!position_.empty()) {
    place += position_ + ":";
  } else if (offset_) {
    place += fmt::format("{}byte {}:", place.empty() ? "" : " ", *offset_);
  }
  if (key_) place += fmt::format("{}key {}:", place.empty() ? "" : " ", quote(*key_));
  text_ = fmt::format("{}{}{}{}", place, place.empty() ? "" : " ", message_, excerpt_);
}

Error io_error(std::string_view what_was_tried, int errno_value) {
  return {ErrorKind::io, fmt::format("{}: {}", what_was_tried, std::strerror(errno_value))};
}

std::string quote(std::string_view text, std::size_t limit) {
  std::string out = "\"";
  const bool cut = text.size() > limit;
  const std::size_t head = cut ? utf8::floor_boundary(text, limit * 2 / 3) : text.size();
  const std::size_t tail = cut ? utf8::floor_boundary(text, text.size() - limit / 3) : text.size();
  const auto append = [&out](std::string_view part) {
    for (std::size_t i = 0; i < part.size();) {
      const std::size_t length = utf8::valid_length(part.substr(i));
      const auto byte = static_cast<unsigned char>(part[i]);
      const bool c1_control = length == 2 && byte == 0xC2 && static_cast<unsigned char>(part[i + 1]) < 0xA0;
      if (length == 0 || byte < 0x20 || byte == 0x7F || c1_control) {
        out += fmt::format("\\x{:02x}", byte);
        i += 1;
        if (c1_control) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(part[i++]));
      } else {
        out += part.substr(i, length);
        i += length;
      }
    }
  };
  append(text.substr(0, head));
  if (cut) {
    out += fmt::format("… ({} bytes left out) …", tail - head);
    append(text.substr(tail));
  }
  return out + "\"";
}

}  // namespace keyshift
