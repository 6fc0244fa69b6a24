// Lists of digests of files, as others write and read them: lines of xxhsum and sha256sum, the JSON of
// `keyshift digest`, receipts, and in-toto statements as OpenSSF model-signing lays them out. Rules:
// FORMAT.md, F50 …
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/sha.h"

namespace keyshift {

enum class DigestKind : std::uint8_t { xxh3_128, sha256, sha1, git_sha1 };
/// "XXH3-128", "SHA-256", "SHA-1", "git's SHA-1".
std::string_view name(DigestKind kind) noexcept;

struct FileDigest {
  DigestKind kind = DigestKind::xxh3_128;
  std::string hex;  // lower case
};

/// A file, or a piece of one, and what its bytes should be.
struct ManifestFile {
  std::string name;                                              // relative, leads nowhere else
  std::optional<std::uint64_t> size;                             // bytes of the whole file, where it is told
  std::optional<std::pair<std::uint64_t, std::uint64_t>> piece;  // [begin, end) in bytes; absent: all of it
  std::vector<FileDigest> digests;                               // may be empty where only the size is told
};

/// A tensor whatever its name, shard and place.
struct ManifestTensor {
  std::string key, dtype;
  std::vector<std::uint64_t> shape;
  Digest digest;
};

struct Manifest {
  std::vector<ManifestFile> files;
  std::vector<ManifestTensor> tensors;  // of `keyshift digest --json` only
  bool has_tensors = false;
  std::vector<std::string> ignored;  // what may lie in the folder, with all below it, and is not listed
  bool is_folder = true;             // false: of a single file, beside which others may lie
  bool is_signed = false;            // a bundle: its signature was not looked at
  std::size_t without = 0;           // files that are listed without a digest
};

/// Reads any of them. Errors: manifest_invalid with the line or the member; receipt_invalid.
Manifest parse_manifest(std::string_view text, const std::string& file_name);

/// One line, newline included, as xxhsum and sha256sum read it. Errors: manifest_invalid (a name that such a
/// line cannot hold).
std::string manifest_line(const Digest& digest, const std::string& name);
std::string manifest_line(const Sha256& digest, const std::string& name);

/// Why `name` must not be joined to a folder; empty if it may.
std::string unsafe_manifest_name(std::string_view name);

/// A file with the SHA-256 of its pieces: one piece, all of it, for the method "files".
struct StatementFile {
  std::string name;
  std::vector<Sha256> pieces;
  std::uint64_t size = 0;  // bytes
};

struct StatementOptions {
  std::string subject;                    // the name of the model's folder
  bool shards = false;                    // the method "shards": pieces of kStatementPiece bytes
  bool allow_symlinks = false;            // files may be links
  std::vector<std::string> ignore_paths;  // what lies in the folder and is not listed
};
inline constexpr std::uint64_t kStatementPiece = 1'000'000'000;  // bytes

/// An unsigned in-toto statement, the payload that model-signing would sign. Errors: manifest_invalid (a name
/// that it cannot hold).
std::string write_statement(std::vector<StatementFile> files, const StatementOptions& options);

}  // namespace keyshift
