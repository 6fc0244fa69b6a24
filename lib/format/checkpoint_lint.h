// Index against headers: what is wrong with the files of a checkpoint (FORMAT.md, F29).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "format/checkpoint.h"

namespace keyshift {

enum class CheckpointFault : std::uint8_t {
  index_missing,     // several shards, and nothing that says which belong together
  index_unusable,    // the index breaks F20 … F23, or leads where it must not
  shard_missing,     // named by the index, or by the numbers in the names of the others
  shard_unreadable,  // truncated, or another rule of the header is broken
  shard_stray,       // one of a numbered set that the index does not name
  key_missing,       // promised, and no shard has it
  key_elsewhere,     // in another shard than promised
  key_unlisted,      // in a shard and not in the index
  key_in_two_shards,
  total_size,
  odd,  // accepted, but not by every reader
};
/// As it is spelled here.
std::string_view name(CheckpointFault fault) noexcept;

struct CheckpointFinding {
  CheckpointFault fault = CheckpointFault::odd;
  std::string file;                // relative to the folder
  std::optional<std::string> key;  // one of those concerned
  std::uint64_t count = 1;         // keys concerned
  std::string message;             // one sentence
};

struct LintedCheckpoint {
  CheckpointPlace place;
  std::vector<Shard> shards;  // those that can be read
  std::vector<CheckpointFinding> findings;
};

/// Opens what can be opened and tells what is wrong. Errors: checkpoint_not_found, checkpoint_ambiguous
/// (where it is not plain which checkpoint is meant), usage, io.
LintedCheckpoint lint_checkpoint(const std::filesystem::path& path, const OpenOptions& options);

}  // namespace keyshift
