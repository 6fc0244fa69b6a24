// Where the files of a journal stand: what a crash, whenever it came, has left (FORMAT.md, F84).
#pragma once

#include <filesystem>
#include <vector>

#include "engine/journal.h"

namespace keyshift {

/// What has been prepared beside `NAME` and takes its name, and what held the name before.
std::filesystem::path staged_beside(const std::filesystem::path& file);  // .NAME.keyshift-new
std::filesystem::path kept_beside(const std::filesystem::path& file);    // .NAME.keyshift-old

/// What the files allow. At least one of the two is true, else look_at_files() has thrown.
struct JournalState {
  bool can_finish = true, can_roll_back = true;
  std::size_t done = 0;   // files that are new already
  std::size_t files = 0;  // all that the journal names
};

/// Reads the headers of all shards and all small files that the journal names. Errors: journal_invalid (a
/// file is neither the old nor the new one nor between them: somebody else changed it; a name is a link), io.
JournalState look_at_files(const std::filesystem::path& journal_path, const Journal& journal);

}  // namespace keyshift
