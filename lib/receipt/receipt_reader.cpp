#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <span>

#include "base/compression.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "format/header.h"
#include "receipt/receipt.h"
#include "receipt/schema.h"
#include "transforms/transform_file.h"

namespace keyshift {

namespace {

using json::Kind;
using json::Node;

constexpr std::uint64_t kMaxHeader = kMaxHeaderLength + 8;       // bytes: the longest that a shard can have
constexpr std::uint64_t kMaxUnpacked = std::uint64_t{2} << 30U;  // bytes: of all packed texts together

// Reads members of one receipt; every refusal names what is wrong with which member.
class Reader {
 public:
  explicit Reader(std::string file) : file_(std::move(file)) {}

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(
        ErrorKind::receipt_invalid,
        what + "; a receipt cannot be mended: use the one that the conversion wrote, or convert again")
        .in(file_);
  }

  const Node& member(const Node& object, std::string_view name, Kind kind) const {
    const Node* found = object.kind == Kind::object ? object.find(name) : nullptr;
    if (found == nullptr) fail(fmt::format("member {} is missing", quote(name)));
    if (found->kind != kind) fail(fmt::format("member {} is not {}", quote(name), json::name(kind)));
    return *found;
  }

  std::string text(const Node& object, std::string_view name) const {
    return member(object, name, Kind::string).text;
  }
  bool flag(const Node& object, std::string_view name) const {
    return member(object, name, Kind::boolean).boolean;
  }

  std::uint64_t number(const Node& object, std::string_view name) const {
    return size_in_bytes(member(object, name, Kind::number).text, name);
  }
  std::uint64_t size_in_bytes(const std::string& literal, std::string_view name) const {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(literal.data(), literal.data() + literal.size(), value);
    if (error != std::errc() || end != literal.data() + literal.size()) {
      fail(fmt::format("member {} is {}, not a size in bytes", quote(name), literal));
    }
    return value;
  }

  Digest digest(const std::string& hex) const {
    const auto value = Digest::from_hex(hex);
    if (!value) fail(fmt::format("{} is not a digest of 32 lower-case hex digits", quote(hex)));
    return *value;
  }

  // A small text may claim to be a very large one: what all of them may hold together is bounded.
  std::string unpacked(const Node& object, std::string_view name, std::uint64_t size, std::uint64_t limit) {
    limit = std::min(limit, kMaxUnpacked - unpacked_);
    if (size > limit)
      fail(fmt::format("member {} claims {} bytes, {} at most are read", quote(name), size, limit));
    const auto packed = from_base64(text(object, name));
    auto unpacked = packed ? decompress(*packed, size) : std::nullopt;
    if (!unpacked || unpacked->size() != size) {
      fail(fmt::format("member {} does not unpack to {} bytes", quote(name), size));
    }
    unpacked_ += size;
    return std::move(*unpacked);
  }

  const Node* optional(const Node& object, std::string_view name, Kind kind) const {
    const Node* found = object.kind == Kind::object ? object.find(name) : nullptr;
    if (found != nullptr && found->kind == Kind::null) return nullptr;
    return &member(object, name, kind);
  }

  std::optional<Digest> optional_digest(const Node& object, std::string_view name) const {
    const Node* found = optional(object, name, Kind::string);
    return found == nullptr ? std::nullopt : std::optional(digest(found->text));
  }

 private:
  std::string file_;
  std::uint64_t unpacked_ = 0;  // bytes
};

// A name in a receipt may be joined to a folder: it must not lead out of it.
std::string read_name(const Reader& reader, const Node& row) {
  std::string name = reader.text(row, "name");
  const std::filesystem::path path(name);
  const bool leads_out = std::any_of(
      path.begin(), path.end(), [](const auto& part) { return part.empty() || part == "." || part == ".."; });
  if (name.empty() || path.is_absolute() || leads_out || name.find('\0') != std::string::npos) {
    reader.fail(fmt::format("names the file {}, which is no place inside a folder", quote(name)));
  }
  return name;
}

std::optional<Sha256> read_sha256(const Reader& reader, const Node& row) {
  const Node* hex = reader.optional(row, "sha256", Kind::string);
  if (hex == nullptr) return std::nullopt;
  const auto value = Sha256::from_hex(hex->text);
  if (!value) reader.fail(fmt::format("{} is not a SHA-256 of 64 lower-case hex digits", quote(hex->text)));
  return value;
}

Receipt::Text read_text(Reader& reader, const Node& row, Receipt& receipt) {
  std::string name = read_name(reader, row);
  return {std::move(name),
          receipt.keep(reader.unpacked(row, "text", reader.number(row, "size"), kMaxUnpacked))};
}

std::vector<std::string> read_patterns(const Reader& reader, const Node& root, std::string_view name) {
  std::vector<std::string> patterns;
  for (const Node& pattern : reader.member(root, name, Kind::array).elements) {
    if (pattern.kind != Kind::string)
      reader.fail(fmt::format("member {} holds what is no pattern", quote(name)));
    patterns.push_back(pattern.text);
  }
  return patterns;
}

void read_transforms(const Reader& reader, const Node& root, Receipt& receipt, const std::string& file_name) {
  const std::string direction = reader.text(root, "direction");
  if (direction != "load" && direction != "save")
    reader.fail("member \"direction\" is neither load nor save");
  receipt.direction = direction == "load" ? Direction::load : Direction::save;
  if (const Node* reversed = reader.optional(root, "reversed", Kind::string)) {
    const auto which = receipt_schema::parse_which(reversed->text);
    if (!which) reader.fail("member \"reversed\" is neither all nor fresh nor flagged");
    receipt.reversed = *which;
  }
  receipt.strip_wrappers = reader.flag(root, "strip_wrappers");
  json::Writer rules;
  rules.node(reader.member(root, "transforms", Kind::object));
  receipt.transforms = parse_transforms(rules.text(), file_name);
  for (const Node& flag : reader.member(root, "used", Kind::array).elements) {
    if (flag.kind != Kind::boolean) reader.fail("member \"used\" holds what is no boolean");
    receipt.used.push_back(flag.boolean);
  }
  if (receipt.used.size() != receipt.transforms.transforms.size()) {
    reader.fail(fmt::format("has {} flags for {} transforms", receipt.used.size(),
                            receipt.transforms.transforms.size()));
  }
  receipt.target = reader.optional_digest(root, "target");
}

void read_options(const Reader& reader, const Node& root, Receipt& receipt) {
  const std::string layout = reader.text(root, "layout");
  if (layout != "keep" && layout != "canonical")
    reader.fail("member \"layout\" is neither keep nor canonical");
  receipt.layout = layout == "keep" ? Receipt::Layout::keep : Receipt::Layout::canonical;
  if (const Node* size = reader.optional(root, "max_shard_size", Kind::number))
    receipt.max_shard_size = reader.size_in_bytes(size->text, "max_shard_size");
  receipt.keep_patterns = read_patterns(reader, root, "keep");
  receipt.drop_patterns = read_patterns(reader, root, "drop");
  receipt.in_place = reader.flag(root, "in_place");
}

void read_previous(Reader& reader, const Node& root, Receipt& receipt) {
  const Node* previous = reader.optional(root, "previous", Kind::object);
  if (previous == nullptr) return;
  receipt.previous = reader.unpacked(*previous, "text", reader.number(*previous, "size"), kMaxUnpacked);
  if (digest_of(*receipt.previous) != reader.digest(reader.text(*previous, "digest"))) {
    reader.fail("holds a previous receipt that is not the one whose digest it gives");
  }
}

void read_source(Reader& reader, const Node& source, Receipt& receipt) {
  receipt.source_is_single_file = reader.flag(source, "single_file");
  for (const Node& row : reader.member(source, "shards", Kind::array).elements) {
    const std::uint64_t header_size = reader.number(row, "header_size");
    receipt.source_shards.push_back({read_name(reader, row), reader.number(row, "size"),
                                     receipt.keep(reader.unpacked(row, "header", header_size, kMaxHeader))});
  }
  if (const Node* index = reader.optional(source, "index", Kind::object))
    receipt.source_index = read_text(reader, *index, receipt);
  for (const Node& row : reader.member(source, "files", Kind::array).elements) {
    receipt.source_files.push_back(
        {read_name(reader, row), reader.number(row, "size"), reader.digest(reader.text(row, "digest"))});
  }
}

// All keys lie one behind the other in one text.
void read_tensors(const Reader& reader, const Node& rows, Receipt& receipt) {
  std::string keys;
  for (const Node& row : rows.elements) {
    for (const Node& key : std::span(row.elements).first(std::min<std::size_t>(2, row.elements.size())))
      keys += key.text;
  }
  std::string_view left = receipt.keep(std::move(keys));
  const auto take = [&left](const Node& element) {
    const std::string_view key = left.substr(0, element.text.size());
    left.remove_prefix(key.size());
    return key;
  };
  receipt.tensors.reserve(rows.elements.size());
  for (const Node& row : rows.elements) {
    const auto is = [&](std::size_t i, bool may_be_null) {
      const Kind kind = row.elements[i].kind;
      return kind == Kind::string || (may_be_null && kind == Kind::null);
    };
    if (row.kind != Kind::array || row.elements.size() != 3 || !is(0, false) || !is(1, true) ||
        !is(2, true)) {
      reader.fail("a row of \"tensors\" is not [old key, new key or null, digest or null]");
    }
    Receipt::Tensor& tensor = receipt.tensors.emplace_back();
    tensor.from = take(row.elements[0]);
    if (row.elements[1].kind != Kind::null) tensor.to = take(row.elements[1]);
    if (row.elements[2].kind != Kind::null) tensor.digest = reader.digest(row.elements[2].text);
  }
}

void read_output(Reader& reader, const Node& root, Receipt& receipt) {
  for (const Node& row : reader.member(root, "shards", Kind::array).elements) {
    receipt.shards.push_back({read_name(reader, row), reader.number(row, "size"),
                              reader.digest(reader.text(row, "header_digest")),
                              reader.optional_digest(row, "digest"), read_sha256(reader, row)});
  }
  for (const Node& row : reader.member(root, "files", Kind::array).elements) {
    receipt.others.push_back({read_name(reader, row), reader.number(row, "size"),
                              reader.digest(reader.text(row, "digest")), read_sha256(reader, row)});
  }
  for (const Node& row : reader.member(root, "rewritten", Kind::array).elements)
    receipt.rewritten.push_back(read_text(reader, row, receipt));
  read_tensors(reader, reader.member(root, "tensors", Kind::array), receipt);
  if (reader.text(root, "digests") != receipt_schema::name(digests_held(receipt)))
    reader.fail("member \"digests\" does not say what \"tensors\" holds");
}

// F41: all bytes before the last member are what it digests.
void check_digest(const Reader& reader, std::string_view text) {
  const std::size_t member = text.rfind(receipt_schema::kDigestMember);
  const std::size_t value = member + receipt_schema::kDigestMember.size();
  if (member == std::string_view::npos || text.substr(std::min(text.size(), value + 32)) != "\"\n}\n") {
    reader.fail("does not end with its own digest, so it is cut or was edited");
  }
  if (reader.digest(std::string(text.substr(value, 32))) != digest_of(text.substr(0, member))) {
    reader.fail("is not what its own digest says, so it was damaged or edited");
  }
}

}  // namespace

Receipt parse_receipt(std::string_view text, const std::string& file_name) {
  Reader reader(file_name);
  const Node root = json::parse(text, {.file = file_name,
                                       .not_utf8 = ErrorKind::receipt_invalid,
                                       .not_json = ErrorKind::receipt_invalid,
                                       .excerpt = false});
  if (reader.text(root, "schema") != receipt_schema::kName) {
    reader.fail(fmt::format("has schema {}, where {} is read", quote(reader.text(root, "schema")),
                            quote(receipt_schema::kName)));
  }
  check_digest(reader, text);

  Receipt receipt;
  read_transforms(reader, root, receipt, file_name);
  read_options(reader, root, receipt);
  read_previous(reader, root, receipt);
  read_source(reader, reader.member(root, "source", Kind::object), receipt);
  read_output(reader, root, receipt);
  return receipt;
}

}  // namespace keyshift
