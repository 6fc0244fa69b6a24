#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/compression.h"
#include "base/error.h"
#include "base/json_writer.h"
#include "receipt/manifest_parts.h"

namespace keyshift {

using json::Kind;
using json::Node;

namespace {

constexpr std::string_view kStatementType = "https://in-toto.io/Statement/v1";
constexpr std::string_view kPredicateType = "https://model_signing/signature/v1.0";
constexpr std::string_view kPayloadType = "application/vnd.in-toto+json";

// The order of resources is that of their paths, part by part: "a/b" stands before "a.b".
bool before(const StatementFile& a, const StatementFile& b) {
  const std::filesystem::path left(a.name), right(b.name);
  return std::lexicographical_compare(left.begin(), left.end(), right.begin(), right.end(),
                                      [](const auto& x, const auto& y) { return x.native() < y.native(); });
}

std::string algorithm(bool shards) {
  return shards ? fmt::format("sha256-sharded-{}", kStatementPiece) : std::string("sha256");
}

struct Resource {
  std::string name;
  Sha256 digest;
};

std::vector<Resource> resources_of(const std::vector<StatementFile>& files, bool shards) {
  std::vector<Resource> resources;
  for (const StatementFile& file : files) {
    if (shards && file.name.find(':') != std::string::npos) {
      throw Error(ErrorKind::manifest_invalid,
                  fmt::format("the name {} holds a colon, which the method \"shards\" takes for its own; use "
                              "\"files\"",
                              quote(file.name)));
    }
    for (std::size_t i = 0; i < file.pieces.size(); ++i) {
      const std::uint64_t begin = i * kStatementPiece;
      const std::uint64_t end = std::min(begin + kStatementPiece, file.size);
      resources.push_back(
          {shards ? fmt::format("{}:{}:{}", file.name, begin, end) : file.name, file.pieces[i]});
    }
  }
  return resources;
}

Sha256 root_of(const std::vector<Resource>& resources) {
  ShaHasher hasher;
  for (const Resource& resource : resources) hasher.update(std::as_bytes(std::span(resource.digest.bytes)));
  return hasher.value();
}

// "NAME:BEGIN:END" of the method "shards".
void read_piece(const ManifestMembers& members, const std::string& resource, ManifestFile& file) {
  const std::size_t second = resource.rfind(':');
  const std::size_t first =
      second == std::string::npos || second == 0 ? second : resource.rfind(':', second - 1);
  std::uint64_t begin = 0, end = 0;
  const auto number = [&](std::size_t from, std::size_t to, std::uint64_t& value) {
    const char* stop = resource.data() + to;
    const auto [at, error] = std::from_chars(resource.data() + from, stop, value);
    return error == std::errc() && at == stop && from < to;
  };
  if (second == std::string::npos || first == std::string::npos || !number(first + 1, second, begin) ||
      !number(second + 1, resource.size(), end) || end <= begin)
    members.fail(fmt::format("the resource {} is not NAME:BEGIN:END", quote(resource)));
  file.name = members.safe_name(resource.substr(0, first));
  file.piece = {begin, end};
}

Manifest read_predicate(const ManifestMembers& members, const Node& root) {
  const Node& predicate = members.member(root, "predicate", Kind::object);
  const Node& serialization = members.member(predicate, "serialization", Kind::object);
  const std::string& method = members.member(serialization, "method", Kind::string).text;
  if (method != "files" && method != "shards")
    members.fail(fmt::format("the method {} is not known", quote(method)));
  Manifest manifest;
  if (const Node* ignored = members.optional(serialization, "ignore_paths", Kind::array)) {
    for (const Node& path : ignored->elements) manifest.ignored.push_back(path.text);
  }
  std::vector<Resource> resources;
  for (const Node& row : members.member(predicate, "resources", Kind::array).elements) {
    const std::string& resource = members.member(row, "name", Kind::string).text;
    const std::string& kind = members.member(row, "algorithm", Kind::string).text;
    if (kind != "sha256" && !kind.starts_with("sha256-sharded-"))
      members.fail(
          fmt::format("the algorithm {} of {} is not known; sha256 is", quote(kind), quote(resource)));
    ManifestFile file;
    if (method == "shards") {
      read_piece(members, resource, file);
    } else {
      file.name = members.safe_name(resource);
    }
    file.digests.push_back(
        members.digest(DigestKind::sha256, members.member(row, "digest", Kind::string).text));
    resources.push_back({resource, *Sha256::from_hex(file.digests.back().hex)});
    manifest.files.push_back(std::move(file));
  }
  const Node& subjects = members.member(root, "subject", Kind::array);
  if (subjects.elements.size() != 1) members.fail("has not exactly one subject");
  const Node& digest = members.member(subjects.elements[0], "digest", Kind::object);
  const std::string& told = members.member(digest, "sha256", Kind::string).text;
  if (told != root_of(resources).hex())
    members.fail(
        fmt::format("its subject has digest {}, and its resources come to {}: it was damaged or edited",
                    quote(told), root_of(resources).hex()));
  return manifest;
}

}  // namespace

std::string write_statement(std::vector<StatementFile> files, const StatementOptions& options) {
  std::sort(files.begin(), files.end(), before);
  const std::vector<Resource> resources = resources_of(files, options.shards);
  json::Writer out(2);
  out.begin_object().key("_type").string(kStatementType);
  out.key("subject").begin_array().begin_object().key("name").string(options.subject);
  out.key("digest").begin_object().key("sha256").string(root_of(resources).hex()).end_object();
  out.end_object().end_array();
  out.key("predicateType").string(kPredicateType).key("predicate").begin_object();
  out.key("serialization").begin_object().key("method").string(options.shards ? "shards" : "files");
  out.key("hash_type").string("sha256");
  if (options.shards) out.key("shard_size").number(kStatementPiece);
  out.key("allow_symlinks").boolean(options.allow_symlinks);
  out.key("ignore_paths").begin_array();
  for (const std::string& path : options.ignore_paths) out.string(path);
  out.end_array().end_object().key("resources").begin_array();
  for (const Resource& resource : resources) {
    out.begin_object().key("name").string(resource.name).key("algorithm").string(algorithm(options.shards));
    out.key("digest").string(resource.digest.hex()).end_object();
  }
  out.end_array().end_object().end_object();
  return std::move(out.text()) + '\n';
}

Manifest parse_statement(const Node& root, const std::string& file_name) {
  const ManifestMembers members(file_name);
  if (const Node* envelope = members.optional(root, "dsseEnvelope", Kind::object)) {
    if (members.member(*envelope, "payloadType", Kind::string).text != kPayloadType)
      members.fail("is a bundle of something else than an in-toto statement");
    const auto payload = from_base64(members.member(*envelope, "payload", Kind::string).text);
    if (!payload) members.fail("member \"payload\" is no base64");
    Manifest manifest = parse_statement(json::parse(*payload, {.file = file_name,
                                                               .not_utf8 = ErrorKind::manifest_invalid,
                                                               .not_json = ErrorKind::manifest_invalid,
                                                               .excerpt = false}),
                                        file_name);
    manifest.is_signed = true;
    return manifest;
  }
  if (members.member(root, "_type", Kind::string).text != kStatementType)
    members.fail(fmt::format("is no in-toto statement of type {}", kStatementType));
  const std::string& predicate = members.member(root, "predicateType", Kind::string).text;
  if (predicate != kPredicateType)
    members.fail(
        fmt::format("its predicate is of type {}, where {} is read", quote(predicate), kPredicateType));
  return read_predicate(members, root);
}

}  // namespace keyshift
