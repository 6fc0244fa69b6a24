#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/file_system.h"
#include "base/json_writer.h"
#include "base/utf8.h"
#include "receipt/manifest.h"
#include "tools/commands/digest.h"

namespace keyshift::tools {

namespace {

std::string_view name_of(CheckpointFile::Kind kind) {
  switch (kind) {
    case CheckpointFile::Kind::shard:
      return "shard";
    case CheckpointFile::Kind::index:
      return "index";
    case CheckpointFile::Kind::side_file:
      return "side_file";
    case CheckpointFile::Kind::receipt:
      return "receipt";
  }
  return "";
}

// A name must come back out of the JSON as it went in.
const std::string& json_name(const std::string& name) {
  if (utf8::find_invalid(name) == std::string::npos) return name;
  throw Error(ErrorKind::manifest_invalid,
              "the name " + quote(name) + " is not UTF-8, which JSON cannot hold; take lines of text");
}

void write_shard(json::Writer& out, const CheckpointFile& file, const FileDigests& digests,
                 const Shard& shard) {
  out.begin_object().key("file").string(json_name(file.name));
  out.key("header_size").number(digests.shard->header_size);
  out.key("header_xxh3_128").string(digests.shard->header.hex());
  out.key("data_xxh3_128").string(digests.shard->data.hex()).key("tensors").begin_array();
  const auto tensors = shard.header().tensors();
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    out.begin_object().key("key").string(tensors[i].key).key("dtype").string(name(tensors[i].dtype));
    out.key("shape").begin_array();
    for (const std::uint64_t dimension : tensors[i].shape) out.number(dimension);
    out.end_array().key("xxh3_128").string(digests.shard->tensors[i].hex()).end_object();
  }
  out.end_array().end_object();
}

Digest contents_of(const Digested& digested) {
  std::vector<std::string> lines;
  for (std::size_t f = 0; f < digested.files.size(); ++f) {
    if (digested.files[f].kind != CheckpointFile::Kind::shard) continue;
    const auto tensors = digested.checkpoint.shards()[digested.files[f].shard].header().tensors();
    for (std::size_t i = 0; i < tensors.size(); ++i)
      lines.push_back(
          content_line(name(tensors[i].dtype), tensors[i].shape, digested.digests[f].shard->tensors[i]));
  }
  return content_digest(std::move(lines));
}

// What a verifier that looks at the whole folder has to pass over: what it ignores by itself, what never
// belongs to a checkpoint, and other weights that lie there.
std::vector<std::string> ignored_paths(const Digested& digested) {
  std::vector<std::string> paths = {".cache",  ".git",       ".gitattributes",
                                    ".github", ".gitignore", ".huggingface"};
  const auto& others = digested.checkpoint.place().other_weights;
  paths.insert(paths.end(), others.begin(), others.end());
  std::sort(paths.begin(), paths.end());
  return paths;
}

bool is_ignored(const std::string& name) {
  static constexpr std::array<std::string_view, 3> kIgnored = {".gitattributes", ".github", ".gitignore"};
  const std::string first = name.substr(0, name.find('/'));
  return std::find(kIgnored.begin(), kIgnored.end(), first) != kIgnored.end();
}

}  // namespace

std::string digest_text(const Digested& digested, bool sha256) {
  std::string out;
  for (std::size_t i = 0; i < digested.files.size(); ++i) {
    const std::string& name = digested.files[i].name;
    out += sha256 ? manifest_line(*digested.digests[i].sha256, name)
                  : manifest_line(digested.digests[i].xxh3_128, name);
  }
  return out;
}

std::string digest_json(const Digested& digested) {
  json::Writer out;
  out.begin_object().key("schema").string("keyshift-digest/1");
  out.key("single_file").boolean(digested.checkpoint.place().is_single_file);
  out.key("contents").string(contents_of(digested).hex()).key("files").begin_array();
  for (std::size_t i = 0; i < digested.files.size(); ++i) {
    const CheckpointFile& file = digested.files[i];
    out.begin_object().key("file").string(json_name(file.name)).key("kind").string(name_of(file.kind));
    out.key("size").number(file.size).key("xxh3_128").string(digested.digests[i].xxh3_128.hex());
    if (digested.digests[i].sha256) out.key("sha256").string(digested.digests[i].sha256->hex());
    out.end_object();
  }
  out.end_array().key("shards").begin_array();
  for (std::size_t i = 0; i < digested.files.size(); ++i) {
    const CheckpointFile& file = digested.files[i];
    if (file.kind == CheckpointFile::Kind::shard)
      write_shard(out, file, digested.digests[i], digested.checkpoint.shards()[file.shard]);
  }
  out.end_array().end_object();
  return std::move(out.text()) + '\n';
}

std::string digest_statement(const Digested& digested, bool shards) {
  StatementOptions options;
  options.subject = json_name(canonical_place(digested.checkpoint.place().folder).filename().string());
  options.shards = shards;
  options.ignore_paths = ignored_paths(digested);
  std::vector<StatementFile> files;
  for (std::size_t i = 0; i < digested.files.size(); ++i) {
    const CheckpointFile& file = digested.files[i];
    if (is_ignored(file.name)) continue;
    options.allow_symlinks = options.allow_symlinks || file.is_link;
    const FileDigests& digests = digested.digests[i];
    files.push_back(
        {json_name(file.name), shards ? digests.pieces : std::vector<Sha256>{*digests.sha256}, file.size});
  }
  return write_statement(std::move(files), options);
}

}  // namespace keyshift::tools
