#include "engine/journal.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "base/error.h"
#include "base/file_system.h"
#include "base/in_place_file.h"
#include "base/json.h"
#include "base/json_number.h"
#include "base/json_writer.h"
#include "format/index.h"

namespace keyshift {

namespace fs = std::filesystem;

namespace {

using json::Kind;
using json::Node;

constexpr std::string_view kMagic = "keyshift-journal/1 ";
constexpr std::size_t kDigestLength = 32;  // hex digits, the last bytes of the file
constexpr std::array kWays = {Way::overwrite, Way::insert, Way::collapse, Way::replace};

void write_contents(json::Writer& out, std::string_view key,
                    const std::optional<Journal::Contents>& contents) {
  out.key(key);
  if (!contents) {
    out.null();
    return;
  }
  out.begin_object().key("size").number(contents->size);
  out.key("digest").string(contents->digest.hex()).end_object();
}

std::string describe(const Journal& journal) {
  json::Writer out;
  out.begin_object().key("shards").begin_array();
  for (const Journal::Shard& shard : journal.shards) {
    out.begin_object().key("name").string(shard.name).key("way").string(name(shard.way));
    out.key("old_size").number(shard.old_size).key("new_size").number(shard.new_size);
    out.key("old_header").number(std::uint64_t{shard.old_header.size()});
    out.key("new_header").number(std::uint64_t{shard.new_header.size()}).end_object();
  }
  out.end_array().key("texts").begin_array();
  for (const Journal::Text& text : journal.texts) {
    out.begin_object().key("name").string(text.name);
    write_contents(out, "before", text.before);
    write_contents(out, "after", text.after);
    out.end_object();
  }
  out.end_array().end_object();
  return std::move(out.text());
}

// Takes a journal apart; every refusal says what is wrong with it.
class Reader {
 public:
  Reader(std::string_view text, const fs::path& path) : text_(text), path_(path) {}

  Journal read() {
    check_digest();
    const std::string_view description = take_description();
    const Node root = json::parse(description, {.file = path_.string(),
                                                .offset = text_.size() - left_.size() - description.size(),
                                                .not_utf8 = ErrorKind::journal_invalid,
                                                .not_json = ErrorKind::journal_invalid});
    Journal journal;
    for (const Node& row : member(root, "shards", Kind::array).elements)
      journal.shards.push_back(read_shard(row));
    for (const Node& row : member(root, "texts", Kind::array).elements)
      journal.texts.push_back(read_text(row));
    if (!left_.empty()) fail(fmt::format("has {} bytes that belong to nothing", left_.size()));
    return journal;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorKind::journal_invalid,
                what +
                    "; nothing was changed. A run that was interrupted never leaves such a journal: if the "
                    "checkpoint is as it should be (`keyshift verify`, `keyshift check`), remove this file")
        .in(path_.string());
  }

  void check_digest() {
    if (text_.size() < kMagic.size() + kDigestLength || !text_.starts_with(kMagic))
      fail("is no journal of keyshift, or it is cut");
    left_ = text_.substr(0, text_.size() - kDigestLength);
    const auto written = Digest::from_hex(text_.substr(left_.size()));
    if (!written || *written != digest_of(left_))
      fail("is not what its own digest says: it is cut or damaged");
  }

  std::string_view take(std::uint64_t size) {
    if (size > left_.size()) fail("ends before what it describes");
    const std::string_view taken = left_.substr(0, static_cast<std::size_t>(size));
    left_.remove_prefix(taken.size());
    return taken;
  }

  std::string_view take_description() {
    take(kMagic.size());
    const std::size_t line_end = left_.find('\n');
    const auto length =
        line_end == std::string_view::npos ? std::nullopt : json::parse_u64(left_.substr(0, line_end));
    if (!length) fail("does not say how long its description is");
    take(line_end + 1);
    return take(*length);
  }

  const Node& member(const Node& object, std::string_view name, Kind kind) const {
    const Node* found = object.kind == Kind::object ? object.find(name) : nullptr;
    if (found == nullptr || found->kind != kind)
      fail(fmt::format("member {} is missing or not {}", quote(name), json::name(kind)));
    return *found;
  }

  std::uint64_t number(const Node& object, std::string_view name) const {
    const auto value = json::parse_u64(member(object, name, Kind::number).text);
    if (!value) fail(fmt::format("member {} is not a size in bytes", quote(name)));
    return *value;
  }

  // The folder may come from anywhere, and so may the journal in it: it must not lead outside.
  std::string name_of(const Node& row, bool is_shard) const {
    const std::string& name = member(row, "name", Kind::string).text;
    const std::string reason = unsafe_shard_name(is_shard ? name : name + ".safetensors");
    if (!reason.empty()) fail(fmt::format("the name {} {}", quote(name), reason));
    return name;
  }

  Journal::Shard read_shard(const Node& row) {
    Journal::Shard shard;
    shard.name = name_of(row, true);
    const std::string& way = member(row, "way", Kind::string).text;
    bool known = false;
    for (const Way each : kWays) {
      if (way != name(each)) continue;
      shard.way = each;
      known = true;
    }
    if (!known) fail(fmt::format("the way {} is none that this version knows", quote(way)));
    shard.old_size = number(row, "old_size");
    shard.new_size = number(row, "new_size");
    shard.old_header = take(number(row, "old_header"));
    shard.new_header = take(number(row, "new_header"));
    check_sizes(shard);
    return shard;
  }

  void check_sizes(const Journal::Shard& shard) const {
    constexpr std::size_t kLeast = 8;
    const bool headers_fit = shard.old_header.size() >= kLeast && shard.new_header.size() >= kLeast &&
                             shard.old_size >= shard.old_header.size() &&
                             shard.new_size >= shard.new_header.size();
    const bool same_data =
        headers_fit && shard.old_size - shard.old_header.size() == shard.new_size - shard.new_header.size();
    const bool fits_way = (shard.way == Way::overwrite && shard.old_size == shard.new_size) ||
                          (shard.way == Way::insert && shard.old_size < shard.new_size) ||
                          (shard.way == Way::collapse && shard.old_size > shard.new_size) ||
                          shard.way == Way::replace;
    if (!same_data || !fits_way)
      fail(fmt::format("the sizes of {} contradict one another", quote(shard.name)));
  }

  std::optional<Journal::Contents> read_contents(const Node& row, std::string_view name) const {
    const Node* found = row.find(name);
    if (found == nullptr) fail(fmt::format("member {} is missing", quote(name)));
    if (found->kind == Kind::null) return std::nullopt;
    const auto digest = Digest::from_hex(member(*found, "digest", Kind::string).text);
    if (!digest) fail("a digest is not 32 lower-case hex digits");
    return Journal::Contents{number(*found, "size"), *digest};
  }

  Journal::Text read_text(const Node& row) const {
    Journal::Text text{name_of(row, false), read_contents(row, "before"), read_contents(row, "after")};
    return text;
  }

  std::string_view text_, left_;
  const fs::path& path_;
};

}  // namespace

std::string_view name(Way way) noexcept {
  switch (way) {
    case Way::overwrite:
      return "overwrite";
    case Way::insert:
      return "insert";
    case Way::collapse:
      return "collapse";
    case Way::replace:
      return "replace";
  }
  return "";
}

void write_journal(const Journal& journal, int descriptor, const fs::path& path) {
  Hasher hasher;
  std::uint64_t at = 0;
  const auto append = [&](std::string_view bytes) {
    hasher.update(std::as_bytes(std::span(bytes.data(), bytes.size())));
    write_exactly(descriptor, path, at, bytes);
    at += bytes.size();
  };
  const std::string description = describe(journal);
  append(fmt::format("{}{}\n{}", kMagic, description.size(), description));
  for (const Journal::Shard& shard : journal.shards) {
    append(shard.old_header);
    append(shard.new_header);
  }
  write_exactly(descriptor, path, at, hasher.value().hex());
}

OpenedJournal parse_journal(std::string text, const fs::path& path) {
  OpenedJournal opened{path, std::move(text), {}};
  opened.journal = Reader(opened.text, path).read();
  return opened;
}

OpenedJournal read_journal(const fs::path& path) {
  constexpr std::uint64_t kLimit = std::uint64_t{16}
                                   << 30U;  // bytes: the headers of thousands of shards, twice
  return parse_journal(read_small_file(path, kLimit), path);
}

}  // namespace keyshift
