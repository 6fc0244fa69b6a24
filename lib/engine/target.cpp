#include "engine/target.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/file_system.h"
#include "receipt/receipt.h"

namespace keyshift {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kTemporary = "tmp";  // where it is built
constexpr std::string_view kReplaced = "old";   // where the old one lies while the new one takes its place

Error usage(const fs::path& place, std::string message) {
  return Error(ErrorKind::usage, std::move(message)).in(place.string());
}

Error busy(const fs::path& temporary) {
  return Error(ErrorKind::io,
               "another run of keyshift is writing there; wait for it, or choose another destination")
      .in(temporary.string());
}

bool is_there(const fs::path& path) {
  std::error_code failure;
  const fs::file_type type = fs::symlink_status(path, failure).type();
  if (type == fs::file_type::none) throw io_error("cannot look at it", failure.value()).in(path.string());
  return type != fs::file_type::not_found;
}

// Whether a folder holds nothing that a user would miss: nothing at all, or what a fresh file system has.
bool is_as_good_as_empty(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename() != "lost+found") return false;
  }
  return true;
}

// --force removes a whole folder: every entry of it must be one that a checkpoint consists of.
void refuse_unless_checkpoint(const fs::path& folder) {
  CheckpointPlace there;
  try {
    there = find_checkpoint(folder);
  } catch (const Error& error) {
    throw usage(folder, fmt::format("exists and is not a checkpoint, so --force does not replace it ({})",
                                    error.message()));
  }
  std::set<std::string> known(there.side_files.begin(), there.side_files.end());
  known.insert(there.shard_names.begin(), there.shard_names.end());
  if (there.index_name) known.insert(*there.index_name);
  known.emplace(kReceiptName);
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_directory() && !entry.is_symlink()) continue;
    const std::string name = entry.path().lexically_relative(folder).string();
    if (known.contains(name)) continue;
    throw usage(
        folder,
        fmt::format("holds {}, which is no part of the checkpoint there, so --force does not replace it; "
                    "move it away first",
                    quote(name)));
  }
}

void sync_folders_below(const fs::path& folder) {
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_directory()) sync_folder(entry.path());
  }
  sync_folder(folder);
}

}  // namespace

fs::path Target::file_system_of(const fs::path& destination) {
  fs::path place = canonical_place(destination);
  std::error_code ignored;
  while (!fs::is_directory(place, ignored) && place.has_relative_path()) place = place.parent_path();
  return place;
}

bool Target::names_single_file(const fs::path& destination) {
  return destination.extension() == ".safetensors";
}

Target Target::prepare(const fs::path& destination, const CheckpointPlace& source, bool force, bool resume) {
  Target target;
  target.place_ = canonical_place(destination);
  if (names_single_file(target.place_)) target.kind_ = Kind::single_file;
  if (!target.place_.has_filename()) throw usage(target.place_, "is no place for a checkpoint");
  if (!fs::is_directory(target.place_.parent_path())) {
    throw usage(target.place_, fmt::format("the folder {} does not exist; make it first",
                                           quote(target.place_.parent_path().string())));
  }
  target.refuse_overlap(source);
  target.settle_replaced();
  target.refuse_occupied(force);
  target.make_temporary(resume);
  return target;
}

void Target::refuse_overlap(const CheckpointPlace& source) const {
  const fs::path source_folder = canonical_place(source.folder);
  const auto refuse = [&](std::string_view how) {
    throw usage(place_,
                fmt::format("{} the source, which is never written to; choose another destination", how));
  };
  if (source.is_single_file) {
    if (place_ == source_folder / source.shard_names.front()) refuse("is");
    if (place_ == source_folder) refuse("is the folder of");
  } else if (place_ == source_folder) {
    refuse("is");
  } else if (is_inside(place_, source_folder)) {
    refuse("is inside");
  }
  if (is_inside(source_folder, place_)) refuse("contains");
  if (source.hub_cache && is_inside(place_, canonical_place(*source.hub_cache)))
    refuse("is inside the hub cache of");
}

fs::path Target::sibling(std::string_view what) const {
  return place_.parent_path() / fmt::format(".{}.keyshift-{}", place_.filename().string(), what);
}

// A run may have been killed while it replaced a checkpoint in two steps: the old one comes back, or goes.
void Target::settle_replaced() const {
  const fs::path old = sibling(kReplaced), fresh = sibling(kTemporary);
  if (!is_there(old)) return;
  const bool is_whole = !is_there(fresh);  // the second step was made
  const bool place_is_free = !is_there(place_) || (fs::is_directory(place_) && fs::is_empty(place_));
  if (!is_whole && !try_lock(fresh)) throw busy(fresh);
  if (is_whole && !place_is_free) return remove_tree(old);
  if (!place_is_free) {
    throw usage(place_, fmt::format("a run that was killed had put the old checkpoint aside as {}; move one "
                                    "of the two away",
                                    quote(old.string())));
  }
  rename_no_replace(old, place_);
}

void Target::refuse_occupied(bool force) {
  if (!is_there(place_)) return;
  const bool folder = fs::is_directory(place_);
  if (kind_ == Kind::single_file) {
    if (folder) throw usage(place_, "is a folder, where a file is to be written; choose another name");
    if (!force) throw usage(place_, "exists; choose another name, or --force to replace it");
    if (!fs::is_regular_file(place_))
      throw usage(place_, "is not a regular file, so --force does not replace it");
    replace_ = true;
    return;
  }
  if (!folder) throw usage(place_, "is a file, where a folder is to be made; choose another name");
  const bool empty = is_as_good_as_empty(place_);
  if (!empty && !force)
    throw usage(place_, "exists and is not empty; choose another name, or --force to replace it");
  if (!empty) refuse_unless_checkpoint(place_);
  if (is_mount_point(place_)) {
    if (!empty)
      throw usage(place_, "is a mount point that is not empty, which --force cannot replace; empty it first");
    kind_ = Kind::mount_point;
  }
  replace_ = !empty;
}

void Target::make_temporary(bool resume) {
  const fs::path beside = sibling(kTemporary);
  const fs::path temporary = kind_ == Kind::mount_point ? place_ / beside.filename() : beside;
  if (is_there(temporary)) {
    if (!fs::is_directory(fs::symlink_status(temporary))) {
      throw usage(temporary, "is in the way: keyshift builds its output there; remove it");
    }
    Descriptor stale = try_lock(temporary);
    if (!stale) throw busy(temporary);
    if (resume) {
      temporary_ = temporary;
      lock_ = std::move(stale);
      return;
    }
    remove_tree(temporary);
  }
  std::error_code failure;
  if (!fs::create_directory(temporary, failure)) {
    throw io_error("cannot make the folder", failure ? failure.value() : EEXIST).in(temporary.string());
  }
  temporary_ = temporary;
  lock_ = try_lock(temporary_);
  if (!lock_) {
    temporary_.clear();
    throw busy(temporary);
  }
  if (!resume) cleanup_ = CrashCleanup(temporary_);
}

Target::~Target() {
  if (temporary_.empty()) return;
  std::error_code ignored;
  fs::remove_all(temporary_, ignored);
}

void Target::require_space(std::uint64_t bytes) const {
  std::error_code failure;
  const fs::space_info space = fs::space(temporary_, failure);
  if (failure || space.available >= bytes) return;
  throw Error(
      ErrorKind::io,
      fmt::format("needs {} bytes, but its file system has {} free; make room or choose another place", bytes,
                  space.available))
      .in(place_.string());
}

fs::path Target::path_for(const std::string& name) const {
  const fs::path path = temporary_ / name;
  std::error_code failure;
  fs::create_directories(path.parent_path(), failure);
  if (failure) throw io_error("cannot make the folder", failure.value()).in(path.parent_path().string());
  return path;
}

void Target::publish(const std::vector<std::string>& names) {
  sync_folders_below(temporary_);
  cleanup_ = {};  // from here on its fate is that of the destination
  switch (kind_) {
    case Kind::folder:
      return publish_folder();
    case Kind::single_file:
      return publish_one_by_one(place_.parent_path(), names);
    case Kind::mount_point:
      return publish_one_by_one(place_, names);
  }
}

void Target::publish_folder() {
  if (replace_) {
    if (!exchange_names(temporary_, place_)) exchange_in_two_steps();
  } else {
    rename_no_replace(temporary_, place_);
    temporary_.clear();
  }
  try {
    sync_folder(place_.parent_path());
  } catch (const Error& error) {
    throw Error(ErrorKind::io, "was published, but " + error.message()).in(place_.string());
  }
  if (replace_) {
    remove_tree(temporary_);  // now the old checkpoint
    temporary_.clear();
  }
}

// In between nothing is at the place, and both lie beside it whole: the next run settles that.
void Target::exchange_in_two_steps() {
  const fs::path old = sibling(kReplaced);
  rename_no_replace(place_, old);
  try {
    rename_no_replace(temporary_, place_);
  } catch (const Error&) {
    rename_no_replace(old, place_);
    throw;
  }
  temporary_ = old;
}

void Target::publish_one_by_one(const fs::path& into, const std::vector<std::string>& names) {
  std::vector<fs::path> appeared;
  try {
    for (const std::string& name : names) {
      const fs::path path = into / name;
      fs::create_directories(path.parent_path());
      if (replace_ || path.filename().string().ends_with(kReceiptName)) {
        fs::rename(temporary_ / name, path);
      } else {
        rename_no_replace(temporary_ / name, path);
        appeared.push_back(path);
      }
    }
  } catch (const std::exception& failure) {
    std::error_code ignored;
    for (const fs::path& path : appeared) fs::remove(path, ignored);
    throw Error(ErrorKind::io, failure.what()).in(place_.string());
  }
  std::error_code ignored;
  fs::remove_all(temporary_, ignored);
  temporary_.clear();
  try {
    if (kind_ == Kind::mount_point) {
      sync_folders_below(into);
    } else {
      sync_folder(into);
    }
  } catch (const Error& error) {
    throw Error(ErrorKind::io, "was published, but " + error.message()).in(place_.string());
  }
}

}  // namespace keyshift
