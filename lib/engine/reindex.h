// The index that a checkpoint's shards deserve: FORMAT.md, F20 … F29.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "format/checkpoint.h"

namespace keyshift {

struct ReindexResult {
  std::string index_name;  // relative to the folder; empty: there is one shard, which needs none
  bool was_there = false;  // an index of that name
  bool written = false;    // false: it was right already
  std::uint64_t tensors = 0, shards = 0, total_size = 0;
  std::uint64_t added = 0, removed = 0,
                moved = 0;            // keys of the old index that were missing, too many, elsewhere
  std::vector<std::string> warnings;  // what was wrong, and what still is
};

/// Writes the index of the shards at `path`, whatever the one that lies there says, and nothing else; all at
/// once or not at all. An index that says the same in another form is left alone. Errors: those of
/// Checkpoint::open with tolerate_index_mismatch; usage (a single file; a hub cache, which is not ours to
/// change; a link); io.
ReindexResult reindex(const std::filesystem::path& path, const OpenOptions& options);

}  // namespace keyshift
