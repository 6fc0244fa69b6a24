#include <fmt/format.h>

#include <charconv>

#include "base/error.h"
#include "receipt/manifest_parts.h"
#include "receipt/receipt.h"
#include "receipt/schema.h"

namespace keyshift {

using json::Kind;
using json::Node;

void ManifestMembers::fail(std::string what) const {
  throw Error(ErrorKind::manifest_invalid, std::move(what)).in(file_);
}

const Node& ManifestMembers::member(const Node& object, std::string_view name, Kind kind) const {
  const Node* found = object.kind == Kind::object ? object.find(name) : nullptr;
  if (found == nullptr) fail(fmt::format("member {} is missing", quote(name)));
  if (found->kind != kind) fail(fmt::format("member {} is not {}", quote(name), json::name(kind)));
  return *found;
}

const Node* ManifestMembers::optional(const Node& object, std::string_view name, Kind kind) const {
  const Node* found = object.kind == Kind::object ? object.find(name) : nullptr;
  if (found == nullptr || found->kind == Kind::null) return nullptr;
  return &member(object, name, kind);
}

std::uint64_t ManifestMembers::number(const Node& value, std::string_view name) const {
  std::uint64_t number = 0;
  const char* end = value.text.data() + value.text.size();
  const auto [stop, error] = std::from_chars(value.text.data(), end, number);
  if (value.kind != Kind::number || error != std::errc() || stop != end)
    fail(fmt::format("member {} is no whole number from 0 on", quote(name)));
  return number;
}

std::string ManifestMembers::safe_name(const std::string& name) const {
  const std::string why = unsafe_manifest_name(name);
  if (!why.empty()) fail(fmt::format("the name {} {}", quote(name), why));
  return name;
}

FileDigest ManifestMembers::digest(DigestKind kind, const std::string& hex) const {
  const bool fits =
      kind == DigestKind::sha256 ? Sha256::from_hex(hex).has_value() : Digest::from_hex(hex).has_value();
  if (!fits) fail(fmt::format("{} is no {} in lower-case hex digits", quote(hex), name(kind)));
  return {kind, hex};
}

namespace {

ManifestTensor read_tensor(const ManifestMembers& members, const Node& row) {
  ManifestTensor tensor;
  tensor.key = members.member(row, "key", Kind::string).text;
  tensor.dtype = members.member(row, "dtype", Kind::string).text;
  for (const Node& dimension : members.member(row, "shape", Kind::array).elements)
    tensor.shape.push_back(members.number(dimension, "shape"));
  const std::string& hex = members.member(row, "xxh3_128", Kind::string).text;
  tensor.digest = *Digest::from_hex(members.digest(DigestKind::xxh3_128, hex).hex);
  return tensor;
}

// What `keyshift digest --json` writes.
Manifest read_own(const ManifestMembers& members, const Node& root) {
  Manifest manifest;
  manifest.is_folder = !members.member(root, "single_file", Kind::boolean).boolean;
  for (const Node& row : members.member(root, "files", Kind::array).elements) {
    ManifestFile file;
    file.name = members.safe_name(members.member(row, "file", Kind::string).text);
    file.size = members.number(members.member(row, "size", Kind::number), "size");
    file.digests.push_back(
        members.digest(DigestKind::xxh3_128, members.member(row, "xxh3_128", Kind::string).text));
    if (const Node* sha256 = members.optional(row, "sha256", Kind::string))
      file.digests.push_back(members.digest(DigestKind::sha256, sha256->text));
    manifest.files.push_back(std::move(file));
  }
  manifest.has_tensors = true;
  for (const Node& shard : members.member(root, "shards", Kind::array).elements) {
    for (const Node& row : members.member(shard, "tensors", Kind::array).elements)
      manifest.tensors.push_back(read_tensor(members, row));
  }
  return manifest;
}

// What a conversion wrote; the reader of receipts has checked the names.
Manifest of_receipt(const Receipt& receipt) {
  Manifest manifest;
  const auto add = [&](const std::string& name, std::uint64_t size, const std::optional<Digest>& digest,
                       const std::optional<Sha256>& sha256) {
    ManifestFile file{name, size, {}, {}};
    if (digest) file.digests.push_back({DigestKind::xxh3_128, digest->hex()});
    if (sha256) file.digests.push_back({DigestKind::sha256, sha256->hex()});
    manifest.without += file.digests.empty() ? 1 : 0;
    manifest.files.push_back(std::move(file));
  };
  for (const auto& shard : receipt.shards) add(shard.name, shard.size, shard.digest, shard.sha256);
  for (const auto& file : receipt.others) add(file.name, file.size, file.digest, file.sha256);
  manifest.is_folder = false;  // what a user adds to a converted checkpoint is no fault of the conversion
  return manifest;
}

}  // namespace

Manifest parse_manifest(std::string_view text, const std::string& file_name) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || text[first] != '{') return parse_lines(text, file_name);
  const Node root = json::parse(text, {.file = file_name,
                                       .not_utf8 = ErrorKind::manifest_invalid,
                                       .not_json = ErrorKind::manifest_invalid,
                                       .excerpt = true});
  const ManifestMembers members(file_name);
  const Node* schema = members.optional(root, "schema", Kind::string);
  if (schema == nullptr) return parse_statement(root, file_name);
  if (schema->text == "keyshift-digest/1") return read_own(members, root);
  if (schema->text == receipt_schema::kName) return of_receipt(parse_receipt(text, file_name));
  members.fail(
      fmt::format("has schema {}; keyshift-digest/1, keyshift-receipt/1, in-toto statements and lines of "
                  "xxhsum or sha256sum are read",
                  quote(schema->text)));
}

}  // namespace keyshift
