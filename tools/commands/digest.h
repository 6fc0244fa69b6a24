// What `digest` tells: lines, JSON, a statement.
#pragma once

#include <string>
#include <vector>

#include "compare/checkpoint_digests.h"
#include "format/checkpoint.h"

namespace keyshift::tools {

/// The digests of a checkpoint, file by file.
struct Digested {
  const Checkpoint& checkpoint;
  std::vector<CheckpointFile> files;
  std::vector<FileDigests> digests;  // of each of them
};

/// A line a file, as xxhsum -c or sha256sum -c reads it.
std::string digest_text(const Digested& digested, bool sha256);
/// One line of JSON, keyshift-digest/1.
std::string digest_json(const Digested& digested);
/// An unsigned in-toto statement. `shards`: the method of that name. Errors: manifest_invalid.
std::string digest_statement(const Digested& digested, bool shards);

}  // namespace keyshift::tools
