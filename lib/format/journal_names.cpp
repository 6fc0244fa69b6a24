#include "format/journal_names.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/in_place_file.h"

namespace keyshift {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kBesideEnding = ".keyshift-journal";

bool is_there(const fs::path& path) { return standing_of(path).there; }

// What to name after `keyshift recover`: the file whose journal it is, or the folder.
fs::path what_to_recover(const fs::path& journal) {
  const std::string name = journal.filename().string();
  if (name == kJournalName) return journal.parent_path();
  return journal.parent_path() / name.substr(1, name.size() - 1 - kBesideEnding.size());
}

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

}  // namespace

std::string journal_name_beside(std::string_view file_name) {
  return fmt::format(".{}{}", file_name, kBesideEnding);
}

std::vector<fs::path> journals_in(const fs::path& folder, const std::vector<std::string>& shard_names) {
  std::vector<fs::path> found;
  if (is_there(folder / kJournalName)) found.push_back(folder / kJournalName);
  for (const std::string& name : shard_names) {
    const fs::path shard = folder / name;
    const fs::path journal = shard.parent_path() / journal_name_beside(shard.filename().string());
    if (is_there(journal)) found.push_back(journal);
  }
  return found;
}

std::vector<fs::path> journals_at(const fs::path& path) {
  std::error_code failure;
  const fs::file_type type = fs::status(path, failure).type();
  if (type == fs::file_type::not_found)
    throw Error(ErrorKind::checkpoint_not_found, "does not exist").in(path.string());
  if (type == fs::file_type::none) throw io_error("cannot look at it", failure.value()).in(path.string());
  if (type != fs::file_type::directory) {
    const fs::path beside = folder_of(path) / journal_name_beside(path.filename().string());
    if (is_there(beside)) return {beside};
    return journals_in(folder_of(path), {});
  }
  std::vector<fs::path> found;
  fs::directory_iterator at(path, failure);
  for (; !failure && at != fs::directory_iterator(); at.increment(failure)) {
    const std::string name = at->path().filename().string();
    if (name.starts_with('.') && name.ends_with(kBesideEnding)) found.push_back(path / name);
  }
  if (failure) throw io_error("cannot list", failure.value()).in(path.string());
  std::sort(found.begin(), found.end());
  return found;
}

void refuse_journals(const fs::path& folder, const std::vector<std::string>& shard_names) {
  const std::vector<fs::path> found = journals_in(folder, shard_names);
  if (found.empty()) return;
  throw Error(
      ErrorKind::journal_present,
      fmt::format("an in-place run was interrupted here, so the files are neither the old nor the new "
                  "ones; `keyshift recover {}` finishes it or rolls it back",
                  quote(what_to_recover(found.front()).string())))
      .in(found.front().string());
}

}  // namespace keyshift
