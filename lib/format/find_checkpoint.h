// find_checkpoint() with what it read on the way, so that Checkpoint::open need not read it again.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "format/checkpoint.h"

namespace keyshift {

struct FoundCheckpoint {
  CheckpointPlace place;
  std::optional<Index> index;
  SharedText index_text;  // empty without an index
};

/// As find_checkpoint().
FoundCheckpoint locate_checkpoint(const std::filesystem::path& path, const OpenOptions& options);

/// The shards that a folder's file names themselves tell of, where no index does: one file, or one complete
/// set NAME-0000i-of-0000n.safetensors. Empty otherwise. `names`: file names of one folder, sorted.
std::vector<std::string> shards_by_name(const std::vector<std::string>& names);

}  // namespace keyshift
