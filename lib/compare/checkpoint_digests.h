// Digests of a checkpoint's files, and of its tensors whatever their names, shards and headers; every byte
// read once. What `digest` tells and `check` compares.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/interrupt.h"
#include "base/sha.h"
#include "format/checkpoint.h"

namespace keyshift {

/// A file that belongs to a checkpoint.
struct CheckpointFile {
  enum class Kind : std::uint8_t { shard, index, side_file, receipt };
  Kind kind = Kind::shard;
  std::string name;        // relative to the checkpoint's folder
  std::uint64_t size = 0;  // bytes
  std::size_t shard = 0;   // Kind::shard: its number in shard_names
  bool is_link = false;    // somebody who does not follow links does not see it
};
/// Shards, index, side files and the receipt that lies beside them, by name. Errors: io.
std::vector<CheckpointFile> files_of(const CheckpointPlace& place);

struct DigestWants {
  bool sha256 = false;              // of each file
  std::uint64_t sha256_pieces = 0;  // bytes: of each piece of so many bytes, too; 0: no pieces
  bool tensors = false;             // of each tensor, header and data section
};

struct ShardDigests {
  std::uint64_t header_size = 0;  // the first 8 + n bytes
  Digest header, data;
  std::vector<Digest> tensors;  // in the order of the header's text
};

struct FileDigests {
  Digest xxh3_128;
  std::optional<Sha256> sha256;
  std::vector<Sha256> pieces;
  std::optional<ShardDigests> shard;
};

/// One per file of `files`, `jobs` at a time. `checkpoint` is where they lie. `advance` is told the bytes,
/// from several threads. Errors: io, source_changed, interrupted.
std::vector<FileDigests> digest_files(const Checkpoint& checkpoint, const std::vector<CheckpointFile>& files,
                                      const DigestWants& wants, unsigned jobs,
                                      const std::function<void(std::uint64_t)>& advance,
                                      const Interrupt& interrupt);

/// One value for what a checkpoint holds: the digest of its tensors' dtypes, shapes and digests, sorted.
/// Equal whatever the tensors are called and however they are spread over shards. `line`: one per tensor.
std::string content_line(std::string_view dtype, std::span<const std::uint64_t> shape, const Digest& digest);
Digest content_digest(std::vector<std::string> lines);

}  // namespace keyshift
