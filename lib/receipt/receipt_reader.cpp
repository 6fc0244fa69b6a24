#include <fmt/format.h>

#include <charconv>

#include "base/compression.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "receipt/receipt.h"
#include "receipt/schema.h"
#include "transforms/transform_file.h"

namespace keyshift {

namespace {

using json::Kind;
using json::Node;

constexpr std::size_t kMaxHeader = 100'000'008;           // bytes: the longest that a shard can have
constexpr std::size_t kMaxIndex = std::size_t{1} << 30U;  // bytes

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
    const std::string& literal = member(object, name, Kind::number).text;
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

  std::string unpacked(const Node& object, std::string_view name, std::uint64_t size,
                       std::size_t limit) const {
    const auto packed = from_base64(text(object, name));
    auto unpacked = packed && size <= limit ? decompress(*packed, size) : std::nullopt;
    if (!unpacked || unpacked->size() != size) {
      fail(fmt::format("member {} does not unpack to {} bytes", quote(name), size));
    }
    return std::move(*unpacked);
  }

  const Node* optional(const Node& object, std::string_view name) const {
    const Node* found = object.find(name);
    if (found == nullptr) fail(fmt::format("member {} is missing", quote(name)));
    return found->kind == Kind::null ? nullptr : found;
  }

 private:
  std::string file_;
};

std::vector<Receipt::OutputFile> read_files(const Reader& reader, const Node& array) {
  std::vector<Receipt::OutputFile> files;
  for (const Node& row : array.elements) {
    files.push_back(
        {reader.text(row, "name"), reader.number(row, "size"), reader.digest(reader.text(row, "digest"))});
  }
  return files;
}

void read_source(const Reader& reader, const Node& source, Receipt& receipt) {
  receipt.source_is_single_file = reader.flag(source, "single_file");
  for (const Node& row : reader.member(source, "shards", Kind::array).elements) {
    const std::uint64_t header_size = reader.number(row, "header_size");
    receipt.source_shards.push_back({reader.text(row, "name"), reader.number(row, "size"),
                                     reader.unpacked(row, "header", header_size, kMaxHeader)});
  }
  if (const Node* index = reader.optional(source, "index")) {
    receipt.source_index =
        Receipt::Text{reader.text(*index, "name"),
                      reader.unpacked(*index, "text", reader.number(*index, "size"), kMaxIndex)};
  }
}

void read_tensors(const Reader& reader, const Node& rows, Receipt& receipt) {
  for (const Node& row : rows.elements) {
    if (row.kind != Kind::array || row.elements.size() != 3 || row.elements[0].kind != Kind::string ||
        row.elements[1].kind != Kind::string) {
      reader.fail("a row of \"tensors\" is not [old key, new key, digest or null]");
    }
    Receipt::Tensor tensor{row.elements[0].text, row.elements[1].text, std::nullopt};
    if (row.elements[2].kind != Kind::null) tensor.digest = reader.digest(row.elements[2].text);
    receipt.tensors.push_back(std::move(tensor));
  }
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
  const Reader reader(file_name);
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
  const std::string direction = reader.text(root, "direction");
  if (direction != "load" && direction != "save")
    reader.fail("member \"direction\" is neither load nor save");
  receipt.direction = direction == "load" ? Direction::load : Direction::save;
  if (const Node* reversed = reader.optional(root, "reversed")) {
    const auto which = receipt_schema::parse_which(reversed->text);
    if (!which) reader.fail("member \"reversed\" is neither all nor fresh nor flagged");
    receipt.reversed = *which;
  }
  receipt.strip_wrappers = reader.flag(root, "strip_wrappers");
  json::Writer rules;
  rules.node(reader.member(root, "transforms", Kind::object));
  receipt.transforms = parse_transforms(rules.text(), file_name);
  for (const Node& flag : reader.member(root, "used", Kind::array).elements)
    receipt.used.push_back(flag.boolean);
  if (receipt.used.size() != receipt.transforms.transforms.size()) {
    reader.fail(fmt::format("has {} flags for {} transforms", receipt.used.size(),
                            receipt.transforms.transforms.size()));
  }
  if (const Node* previous = reader.optional(root, "previous"))
    receipt.previous = reader.digest(previous->text);
  read_source(reader, reader.member(root, "source", Kind::object), receipt);
  receipt.shards = read_files(reader, reader.member(root, "shards", Kind::array));
  receipt.others = read_files(reader, reader.member(root, "files", Kind::array));
  read_tensors(reader, reader.member(root, "tensors", Kind::array), receipt);
  return receipt;
}

}  // namespace keyshift
