#include "engine/journal_run.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/file_system.h"
#include "base/in_place_file.h"
#include "base/parallel.h"
#include "engine/journal_state.h"

namespace keyshift {

namespace fs = std::filesystem;

namespace {

// Flushing is waiting: with more of them under way than there are processors the disk has a queue to work on.
constexpr unsigned kFlushesPerJob = 4;

class Run {
 public:
  Run(const fs::path& journal_path, const Journal& journal, unsigned jobs)
      : journal_path_(journal_path), folder_(journal_path.parent_path()), journal_(journal), jobs_(jobs) {}

  void forward() {
    for_each_shard(Way::insert, [&](const Journal::Shard& shard, int file, const fs::path& path) {
      if (standing_of(path).size != shard.old_size) return;
      if (!insert_range(file, path, 0, shard.inserted()))
        throw Error(ErrorKind::io, "the file system does not insert blocks into it").in(path.string());
      sync_data(file, path);
    });
    for_each_in_place([&](const Journal::Shard& shard, int file, const fs::path& path) {
      write_exactly(file, path, 0, shard.new_header);
      sync_data(file, path);
    });
    for_each_replaced([&](const fs::path& file, bool is_to_be) { take_staged(file, is_to_be); });
    sync_folders();
  }

  void close() {
    for_each_replaced([&](const fs::path& file, bool) {
      remove_name(kept_beside(file));
      remove_name(staged_beside(file));
    });
    end();
  }

  void back() {
    for_each_replaced([&](const fs::path& file, bool, bool was) { put_back(file, was); });
    sync_folders();
    for_each_in_place([&](const Journal::Shard& shard, int file, const fs::path& path) {
      const bool inserted = standing_of(path).size != shard.old_size;
      write_exactly(file, path, inserted ? shard.inserted() : 0, shard.old_header);
      sync_data(file, path);
      if (!inserted) return;
      collapse_range(file, path, 0, shard.inserted());
      sync_data(file, path);
    });
    for_each_replaced([&](const fs::path& file, bool) { remove_name(staged_beside(file)); });
    end();
  }

 private:
  template <class Change>
  void for_each_shard(Way way, Change&& change) const {
    std::vector<const Journal::Shard*> chosen;
    for (const Journal::Shard& shard : journal_.shards) {
      if (shard.way == way) chosen.push_back(&shard);
    }
    for_each_parallel(chosen.size(), jobs_ == 1 ? 1 : jobs_ * kFlushesPerJob, [&](std::size_t i) {
      const fs::path path = folder_ / chosen[i]->name;
      const Descriptor file = open_for_changes(path);
      change(*chosen[i], file.get(), path);
    });
  }

  template <class Change>
  void for_each_in_place(Change&& change) const {
    for_each_shard(Way::overwrite, change);
    for_each_shard(Way::insert, change);
  }

  // change(file, whether it is there afterwards[, whether it was there before])
  template <class Change>
  void for_each_replaced(Change&& change) const {
    const auto call = [&](const fs::path& file, bool is_to_be, bool was) {
      if constexpr (std::is_invocable_v<Change&, const fs::path&, bool, bool>) {
        change(file, is_to_be, was);
      } else {
        change(file, is_to_be);
      }
    };
    for (const Journal::Shard& shard : journal_.shards) {
      if (shard.way == Way::replace) call(folder_ / shard.name, true, true);
    }
    for (const Journal::Text& text : journal_.texts)
      call(folder_ / text.name, text.after.has_value(), text.before.has_value());
  }

  // The old file keeps a second name until all is done, so that it can be put back.
  static void take_staged(const fs::path& file, bool is_to_be) {
    const fs::path staged = staged_beside(file), kept = kept_beside(file);
    const bool to_do = is_to_be ? standing_of(staged).there : standing_of(file).there;
    if (!to_do) return;
    if (standing_of(file).there && !standing_of(kept).there) add_name(file, kept);
    if (is_to_be) {
      replace_name(staged, file);
    } else {
      remove_name(file);
    }
  }

  static void put_back(const fs::path& file, bool was) {
    const fs::path kept = kept_beside(file);
    if (!was) return remove_name(file);
    const Standing old = standing_of(kept);
    if (!old.there) return;
    // To rename one name of a file to another of its names does nothing at all.
    if (standing_of(file).is_same_file(old)) return remove_name(kept);
    replace_name(kept, file);
  }

  void sync_folders() const {
    std::set<fs::path> folders;
    for_each_replaced([&](const fs::path& file, bool) { folders.insert(file.parent_path()); });
    for (const fs::path& folder : folders) sync_folder(folder);
  }

  // Everything else is on the disk by now.
  void end() const {
    remove_name(journal_path_);
    try {
      sync_folder(folder_);
    } catch (const Error& error) {
      throw Error(ErrorKind::io, "all files are as they should be, but " + error.message())
          .in(folder_.string());
    }
  }

  const fs::path& journal_path_;
  const fs::path folder_;
  const Journal& journal_;
  const unsigned jobs_;
};

}  // namespace

void apply_journal(const fs::path& journal_path, const Journal& journal, unsigned jobs) {
  Run(journal_path, journal, jobs).forward();
}

void close_journal(const fs::path& journal_path, const Journal& journal) {
  Run(journal_path, journal, 1).close();
}

void roll_back_journal(const fs::path& journal_path, const Journal& journal, unsigned jobs) {
  Run(journal_path, journal, jobs).back();
}

void discard_staged(const fs::path& folder, const Journal& journal) noexcept {
  const auto discard = [&](const std::string& name) {
    std::error_code ignored;
    fs::remove(staged_beside(folder / name), ignored);
  };
  for (const Journal::Shard& shard : journal.shards) {
    if (shard.way == Way::replace) discard(shard.name);
  }
  for (const Journal::Text& text : journal.texts) discard(text.name);
}

}  // namespace keyshift
