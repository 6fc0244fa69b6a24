#include "engine/journal_run.h"

#include <algorithm>
#include <set>
#include <span>

#include "base/error.h"
#include "base/file_system.h"
#include "base/function_ref.h"
#include "base/in_place_file.h"
#include "base/parallel.h"
#include "engine/journal_state.h"

namespace keyshift {

namespace fs = std::filesystem;

namespace {

// Flushing is waiting: with more of them under way than there are processors the disk has a queue to work on.
constexpr unsigned kFlushesPerJob = 4;
constexpr std::size_t kOpenAtOnce = 64;  // descriptors

class Run {
 public:
  Run(const fs::path& journal_path, const Journal& journal, unsigned jobs)
      : journal_path_(journal_path), folder_(journal_path.parent_path()), journal_(journal), jobs_(jobs) {}

  void forward() {
    grow(Way::insert);
    shrink(Way::collapse);
    overwrite(&Journal::Shard::new_header);
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
    shrink(Way::insert);
    grow(Way::collapse);
    overwrite(&Journal::Shard::old_header);
    for_each_replaced([&](const fs::path& file, bool) { remove_name(staged_beside(file)); });
    end();
  }

 private:
  using Change = void(const Journal::Shard&, int file, const fs::path&);

  // Many are changed before the first is flushed: what a file system has to commit it then commits for all.
  void change_and_flush(Way way, function_ref<Change> change) const {
    std::vector<const Journal::Shard*> chosen;
    for (const Journal::Shard& shard : journal_.shards) {
      if (shard.way == way) chosen.push_back(&shard);
    }
    for (std::size_t i = 0; i < chosen.size(); i += kOpenAtOnce)
      change_and_flush(std::span(chosen).subspan(i, std::min(kOpenAtOnce, chosen.size() - i)), change);
  }

  // A file stays open until it is flushed, or an error in between might be told to nobody.
  void change_and_flush(std::span<const Journal::Shard* const> shards, function_ref<Change> change) const {
    std::vector<Descriptor> files(shards.size());
    for_each_parallel(shards.size(), jobs_, [&](std::size_t i) {
      const fs::path path = folder_ / shards[i]->name;
      files[i] = open_for_changes(path);
      change(*shards[i], files[i].get(), path);
    });
    for_each_parallel(shards.size(), jobs_ == 1 ? 1 : jobs_ * kFlushesPerJob,
                      [&](std::size_t i) { sync_data(files[i].get(), folder_ / shards[i]->name); });
  }

  void overwrite(std::string_view Journal::Shard::*header) const {
    change_and_flush(Way::overwrite, [&](const Journal::Shard& shard, int file, const fs::path& path) {
      write_exactly(file, path, 0, shard.*header);
      begin_writing_back(file);
    });
  }

  static bool is_large(const Journal::Shard& shard, const fs::path& path) {
    return standing_of(path).size == shard.larger_size();
  }

  // The blocks are on the disk before anything is written into them, by whomever they were inserted: a run
  // that was killed may have done it.
  void grow(Way way) const {
    change_and_flush(way, [](const Journal::Shard& shard, int file, const fs::path& path) {
      if (is_large(shard, path)) return;
      if (!insert_range(file, path, 0, shard.moved()))
        throw Error(ErrorKind::io, "the file system does not insert blocks into it").in(path.string());
    });
    change_and_flush(way, [](const Journal::Shard& shard, int file, const fs::path& path) {
      write_exactly(file, path, 0, shard.longer_header());
      begin_writing_back(file);
    });
  }

  // The header is on the disk before its place becomes the file's beginning.
  void shrink(Way way) const {
    change_and_flush(way, [](const Journal::Shard& shard, int file, const fs::path& path) {
      write_exactly(file, path, is_large(shard, path) ? shard.moved() : 0, shard.shorter_header());
      begin_writing_back(file);
    });
    change_and_flush(way, [](const Journal::Shard& shard, int file, const fs::path& path) {
      if (is_large(shard, path)) collapse_range(file, path, 0, shard.moved());
    });
  }

  // change(file, whether it is there afterwards[, whether it was there before])
  template <class Step>
  void for_each_replaced(Step&& change) const {
    const auto call = [&](const fs::path& file, bool is_to_be, bool was) {
      if constexpr (std::is_invocable_v<Step&, const fs::path&, bool, bool>) {
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
