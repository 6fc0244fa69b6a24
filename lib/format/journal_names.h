// The journal of an in-place run, as far as it concerns whoever only reads: while it is there, a checkpoint
// is neither the old nor the new one (FORMAT.md, F80 and F86).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "format/checkpoint.h"

namespace keyshift {

/// Of a run on a checkpoint in a folder: lies in that folder.
inline constexpr std::string_view kJournalName = ".keyshift-journal";
/// Of a run on a single file: `.model.safetensors.keyshift-journal` beside it.
std::string journal_name_beside(std::string_view file_name);

/// The journals that stand in the way of the files of `folder`: the folder's own, and those beside its
/// shards. Errors: io.
std::vector<std::filesystem::path> journals_in(const std::filesystem::path& folder,
                                               const std::vector<std::string>& shard_names);
/// The journals that `keyshift recover PATH` is about: of a folder its own and those beside files in it, of a
/// file the one beside it, else that of its folder. Errors: checkpoint_not_found, io.
std::vector<std::filesystem::path> journals_at(const std::filesystem::path& path);

/// Errors: journal_present, naming `keyshift recover`.
void refuse_journals(const std::filesystem::path& folder, const std::vector<std::string>& shard_names);

}  // namespace keyshift
