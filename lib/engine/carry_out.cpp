#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "base/error.h"
#include "base/file_system.h"
#include "base/in_place_file.h"
#include "base/mapped_file.h"
#include "base/parallel.h"
#include "engine/file_changes.h"
#include "engine/journal.h"
#include "engine/journal_run.h"
#include "engine/journal_state.h"
#include "engine/run_lock.h"
#include "format/journal_names.h"

namespace keyshift {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kBlock = 4096;  // bytes: what file systems share

// Where the journal of this checkpoint lies.
fs::path journal_path_of(const CheckpointPlace& place) {
  if (!place.is_single_file) return place.folder / kJournalName;
  return place.folder / journal_name_beside(place.shard_names.front());
}

std::optional<Journal::Contents> contents_of(const std::optional<TextPieces>& text) {
  if (!text) return std::nullopt;
  return Journal::Contents{text->size(), text->digest()};
}

// Everything that comes before the journal is published: until then nothing is changed.
class Preparation {
 public:
  Preparation(const FileChanges& changes, unsigned jobs, Progress& progress, const Interrupt& interrupt)
      : changes_(changes),
        folder_(changes.checkpoint->place().folder),
        path_(journal_path_of(changes.checkpoint->place())),
        unpublished_(path_.string() + "-tmp"),
        jobs_(jobs),
        progress_(progress),
        interrupt_(interrupt) {}
  Preparation(const Preparation&) = delete;
  Preparation& operator=(const Preparation&) = delete;

  // Removes what was prepared, unless it was published.
  ~Preparation() {
    if (published_ || !file_) return;
    discard_staged(folder_, journal_);
    std::error_code ignored;
    fs::remove(unpublished_, ignored);
  }

  void run() {
    lock_shards();
    describe();
    begin();
    require_space();
    stage_shards();
    write_texts_and_journal();
    flush();
    check_unchanged();
    interrupt_.check();
    publish();
  }

  const fs::path& path() const noexcept { return path_; }
  const Journal& journal() const noexcept { return journal_; }

 private:
  void lock_shards() {
    for (const Shard& shard : changes_.checkpoint->shards()) {
      if (!lock_exclusively(shard.file().descriptor(), shard.file().path())) refuse_busy(shard.file().path());
    }
    // Whoever held the locks before may have left one since the checkpoint was opened.
    refuse_journals(folder_, changes_.checkpoint->place().shard_names);
  }

  void describe() {
    for (std::size_t i = 0; i < changes_.headers.size(); ++i) {
      const Shard& shard = changes_.checkpoint->shards()[changes_.headers[i].shard];
      const auto old = shard.header_bytes();
      const std::string_view header = changes_.headers[i].header;
      journal_.shards.push_back({shard.name(),
                                 way_of(changes_.ways[i]),
                                 shard.file().size(),
                                 shard.header().data_size() + header.size(),
                                 {reinterpret_cast<const char*>(old.data()), old.size()},
                                 header});
    }
    journal_.texts.resize(changes_.texts.size());
    for_each_parallel(2 * journal_.texts.size(), jobs_, [&](std::size_t i) {
      const TextChange& text = changes_.texts[i / 2];
      Journal::Text& described = journal_.texts[i / 2];
      if (i % 2 == 0) {
        described.name = text.name;
        described.before = contents_of(text.before);
      } else {
        described.after = contents_of(text.after);
      }
    });
  }

  static Way way_of(HeaderWay way) {
    switch (way) {
      case HeaderWay::overwrite:
        return Way::overwrite;
      case HeaderWay::insert:
        return Way::insert;
      case HeaderWay::collapse:
        return Way::collapse;
      case HeaderWay::share:
      case HeaderWay::copy:
        break;
    }
    return Way::replace;
  }

  // The locked file tells others that a run is at work here; what an earlier run has left is taken away.
  void begin() {
    if (standing_of(unpublished_).there) {
      if (!try_lock(unpublished_)) refuse_busy(unpublished_);
      remove_name(unpublished_);
    }
    discard_staged(folder_, journal_);
    file_ = create_file(unpublished_);
    if (!lock_exclusively(file_.get(), unpublished_)) refuse_busy(unpublished_);
  }

  void require_space() const {
    std::error_code failure;
    const fs::space_info space = fs::space(folder_, failure);
    if (failure || space.available >= changes_.needed_bytes) return;
    throw Error(ErrorKind::io,
                fmt::format("needs {} bytes for a while, but its file system has {} free; make "
                            "room, or convert to another place",
                            changes_.needed_bytes, space.available))
        .in(folder_.string());
  }

  void stage_shards() {
    std::vector<std::size_t> replaced;
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < changes_.ways.size(); ++i) {
      if (journal_.shards[i].way != Way::replace) continue;
      replaced.push_back(i);
      if (changes_.ways[i] == HeaderWay::copy) bytes += journal_.shards[i].new_size;
    }
    if (bytes > 0) progress_.begin("copying", bytes);
    for_each_parallel(replaced.size(), jobs_, [&](std::size_t i) { stage_shard(replaced[i]); });
    if (bytes > 0) progress_.end();
  }

  // All of it begins its way to the disk.
  void write_texts_and_journal() {
    texts_.resize(changes_.texts.size());
    for_each_parallel(1 + texts_.size(), jobs_, [&](std::size_t i) {
      if (i > 0) return stage_text(changes_.texts[i - 1], texts_[i - 1]);
      write_journal(journal_, file_.get(), unpublished_);
      begin_writing_back(file_.get());
    });
  }

  void stage_shard(std::size_t i) const {
    const Shard& shard = changes_.checkpoint->shards()[changes_.headers[i].shard];
    const fs::path from = folder_ / shard.name(), to = staged_beside(from);
    const std::string_view header = changes_.headers[i].header;
    const Descriptor file = create_file(to);
    if (changes_.ways[i] == HeaderWay::share) {
      const std::uint64_t data_start = shard.header().data_start();
      if (!share_rest(shard.file().descriptor(), data_start / kBlock * kBlock, file.get(),
                      header.size() / kBlock * kBlock, to)) {
        throw Error(ErrorKind::io, "cannot share the blocks of " + quote(from.string())).in(to.string());
      }
    } else {
      copy_data(shard, file.get(), to, header.size());
    }
    write_exactly(file.get(), to, 0, header);
    take_attributes(from, file.get());
    sync_file(file.get(), to);
  }

  void copy_data(const Shard& shard, int file, const fs::path& to, std::uint64_t new_start) const {
    constexpr std::uint64_t kPiece = 32U << 20U;  // bytes between two looks at ^C
    const std::uint64_t size = shard.header().data_size(), old_start = shard.header().data_start();
    for (std::uint64_t done = 0; done < size;) {
      interrupt_.check();
      const std::uint64_t copied = copy_some(shard.file().descriptor(), shard.file().path(), old_start + done,
                                             file, to, new_start + done, std::min(kPiece, size - done));
      if (copied == 0)
        throw Error(ErrorKind::io, "the file became shorter")
            .in(shard.file().path().string())
            .at(old_start + done);
      begin_writing_back(file);
      done += copied;
      progress_.advance(copied);
    }
  }

  void stage_text(const TextChange& text, Descriptor& file) const {
    if (!text.after) return;
    const fs::path to = staged_beside(folder_ / text.name);
    file = create_file(to);
    std::uint64_t offset = 0;
    for (const std::string_view piece : text.after->pieces()) {
      write_exactly(file.get(), to, offset, piece);
      offset += piece.size();
    }
    if (text.before) take_attributes(folder_ / text.name, file.get());
    begin_writing_back(file.get());
  }

  void flush() {
    for (std::size_t i = 0; i < texts_.size(); ++i) {
      if (texts_[i]) sync_file(texts_[i].get(), staged_beside(folder_ / changes_.texts[i].name));
    }
    texts_.clear();
    sync_file(file_.get(), unpublished_);
  }

  static bool holds(const fs::path& path, std::string_view text) {
    const MappedFile file = MappedFile::open(path);
    file.populate(0, file.size());
    return file.size() == text.size() && std::memcmp(file.bytes().data(), text.data(), text.size()) == 0;
  }

  void check_unchanged() const {
    for (const HeaderChange& change : changes_.headers)
      changes_.checkpoint->shards()[change.shard].file().check_unchanged();
    for (const TextChange& text : changes_.texts) {
      const fs::path path = folder_ / text.name;
      const Standing there = standing_of(path);
      const bool same = text.before
                            ? there.is_file && there.size == text.before->size() && holds(path, *text.before)
                            : !there.there;
      if (same) continue;
      throw Error(ErrorKind::source_changed,
                  "was changed by somebody else meanwhile; nothing was changed here, run again when it rests")
          .in(path.string());
    }
  }

  void publish() {
    // What is staged must be there whenever the journal is.
    std::set<fs::path> folders;
    for (const Journal::Shard& shard : journal_.shards) folders.insert((folder_ / shard.name).parent_path());
    for (const Journal::Text& text : journal_.texts) folders.insert((folder_ / text.name).parent_path());
    folders.erase(folder_);
    for (const fs::path& folder : folders) sync_folder(folder);
    rename_no_replace(unpublished_, path_);
    published_ = true;
    try {
      sync_folder(folder_);
    } catch (...) {
      // It may be on the disk or not; nothing else has been changed yet.
      published_ = false;
      std::error_code ignored;
      fs::remove(path_, ignored);
      throw;
    }
  }

  const FileChanges& changes_;
  const fs::path folder_, path_, unpublished_;
  const unsigned jobs_;
  Progress& progress_;
  const Interrupt& interrupt_;
  Descriptor file_;
  std::vector<Descriptor> texts_;  // as changes_.texts, while they are written
  Journal journal_;  // its old headers borrow from the mapping, which shows what is written over them
  bool published_ = false;
};

// The journal stays: `what` happened, and recover is to go on from there.
[[noreturn]] void fail_unfinished(const CheckpointPlace& place, const fs::path& journal,
                                  const std::string& what) {
  const fs::path path = place.is_single_file ? place.folder / place.shard_names.front() : place.folder;
  throw Error(ErrorKind::io,
              fmt::format("{}; the journal is there, and once that is mended `keyshift recover {}` "
                          "finishes the run or rolls it back",
                          what, quote(path.string())))
      .in(journal.string());
}

}  // namespace

void refuse_busy(const fs::path& path) {
  throw Error(ErrorKind::io, "another run of keyshift is at work on it; wait for it to end")
      .in(path.string());
}

void carry_out(const FileChanges& changes, unsigned jobs, Progress& progress, const Interrupt& interrupt) {
  Preparation preparation(changes, jobs, progress, interrupt);
  preparation.run();
  const CheckpointPlace& place = changes.checkpoint->place();
  const fs::path& path = preparation.path();
  // --- from here the journal decides: all is done, or nothing ---
  try {
    apply_journal(path, preparation.journal(), jobs);
  } catch (const std::exception& first) {
    try {
      const OpenedJournal opened = read_journal(path);  // the mapped old headers may be new by now
      if (!look_at_files(path, opened.journal).can_roll_back)
        throw Error(ErrorKind::io, "the old files are gone");
      roll_back_journal(path, opened.journal, jobs);
    } catch (const std::exception& second) {
      fail_unfinished(
          place, path,
          fmt::format("the run failed ({}) and was not rolled back ({})", first.what(), second.what()));
    }
    throw Error(ErrorKind::io, fmt::format("{}; nothing was changed", first.what()));
  }
  // --- from here all is new and on the disk ---
  try {
    close_journal(path, preparation.journal());
  } catch (const std::exception& failure) {
    if (!standing_of(path).there) throw;  // only the last flush failed
    fail_unfinished(place, path, fmt::format("all files are the new ones, but {}", failure.what()));
  }
}

}  // namespace keyshift
