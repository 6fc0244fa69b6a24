// What `keyshift recover` does: an in-place run that was interrupted is finished or rolled back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace keyshift {

enum class Recovered : std::uint8_t { finished, rolled_back };

struct RecoverResult {
  struct Run {
    std::filesystem::path journal;  // where it was
    Recovered outcome = Recovered::finished;
    std::size_t done = 0;            // files that were new already when it was found
    std::vector<std::string> files;  // relative to the journal's folder: all that it named
  };
  std::vector<Run> runs;               // none: there was nothing to recover
  std::vector<std::string> leftovers;  // removed: what a run had prepared that never began to change anything
};

/// Finishes every in-place run that left a journal at `path` (a folder, an index or a .safetensors file), or,
/// where it cannot be finished or `roll_back` asks for it, brings the old files back. `jobs`: threads.
/// Errors: checkpoint_not_found; journal_invalid (the journal, or a file that somebody else changed; nothing
/// is touched then); io (another run is at work, or the disk fails: it can be called again).
RecoverResult recover(const std::filesystem::path& path, bool roll_back, unsigned jobs);

}  // namespace keyshift
