#include "engine/recover.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/file_system.h"
#include "base/in_place_file.h"
#include "engine/journal.h"
#include "engine/journal_run.h"
#include "engine/journal_state.h"
#include "engine/run_lock.h"
#include "format/journal_names.h"

namespace keyshift {

namespace fs = std::filesystem;

namespace {

void refuse_roll_back(const OpenedJournal& opened) {
  throw Error(
      ErrorKind::journal_invalid,
      "cannot be rolled back any more, for the old files are gone; `keyshift recover` without --roll-back "
      "finishes it")
      .in(opened.path.string());
}

RecoverResult::Run recover_one(const fs::path& path, bool roll_back, unsigned jobs) {
  const Descriptor lock = try_lock(path);
  if (!lock) refuse_busy(path);
  const OpenedJournal opened = read_journal(path);
  const JournalState state = look_at_files(path, opened.journal);
  if (roll_back && !state.can_roll_back) refuse_roll_back(opened);

  RecoverResult::Run run{path, Recovered::finished, state.done, {}};
  for (const Journal::Shard& shard : opened.journal.shards) run.files.push_back(shard.name);
  for (const Journal::Text& text : opened.journal.texts) run.files.push_back(text.name);
  if (roll_back || !state.can_finish) {
    run.outcome = Recovered::rolled_back;
    roll_back_journal(path, opened.journal, jobs);
  } else {
    apply_journal(path, opened.journal, jobs);
    close_journal(path, opened.journal);
  }
  return run;
}

// Of a run that ended before it published its journal: nothing was changed, and what it had prepared is
// waste.
std::vector<std::string> remove_leftovers(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code failure;
  for (fs::directory_iterator at(folder, failure); !failure && at != fs::directory_iterator();
       at.increment(failure)) {
    const std::string name = at->path().filename().string();
    if (!name.starts_with('.')) continue;
    if (name.ends_with(kUnpublishedEnding) || name.ends_with(".keyshift-new")) found.push_back(folder / name);
  }
  if (failure) throw io_error("cannot list", failure.value()).in(folder.string());
  std::vector<Descriptor> locks;
  for (const fs::path& path : found) {
    if (!path.filename().string().ends_with(kUnpublishedEnding)) continue;
    locks.push_back(try_lock(path));
    if (!locks.back()) refuse_busy(path);
  }
  std::vector<std::string> removed;
  for (const fs::path& path : found) {
    remove_name(path);
    removed.push_back(path.filename().string());
  }
  std::sort(removed.begin(), removed.end());
  return removed;
}

}  // namespace

RecoverResult recover(const fs::path& path, bool roll_back, unsigned jobs) {
  RecoverResult result;
  for (const fs::path& journal : journals_at(path))
    result.runs.push_back(recover_one(journal, roll_back, jobs));
  fs::path folder = path;
  if (!fs::is_directory(path)) folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  result.leftovers = remove_leftovers(folder);
  return result;
}

}  // namespace keyshift
