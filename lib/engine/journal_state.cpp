#include "engine/journal_state.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/file_system.h"
#include "base/in_place_file.h"

namespace keyshift {

namespace fs = std::filesystem;

namespace {

enum class Stands : std::uint8_t { before, between, after, neither };

std::string header_of(const fs::path& path, std::size_t size) {
  const Descriptor file = open_for_changes(path);
  std::string header(size, '\0');
  read_exactly(file.get(), path, 0, std::as_writable_bytes(std::span(header.data(), header.size())));
  return header;
}

// Whether a write that may have been cut anywhere leads from `from` to `to` by way of `there`.
bool is_between(std::string_view there, std::string_view from, std::string_view to) {
  for (std::size_t i = 0; i < there.size(); ++i) {
    if (there[i] != to[i] && there[i] != from[i]) return false;
  }
  return true;
}

Stands stand(std::string_view there, std::string_view from, std::string_view to) {
  if (there == to) return Stands::after;
  if (there == from) return Stands::before;
  return is_between(there, from, to) ? Stands::between : Stands::neither;
}

// The size tells whether the blocks are there: the kernel inserts them and takes them out wholly or not at
// all. Where they are, the longer header stands, or zeros and behind them the shorter one, or what a write
// from one to the other has left.
Stands stand_of_moved(const Journal::Shard& shard, const fs::path& path, std::uint64_t size) {
  const bool grows = shard.way == Way::insert;
  if (size != shard.larger_size()) {
    const std::string_view header = shard.shorter_header();
    if (size != std::min(shard.old_size, shard.new_size) || header_of(path, header.size()) != header)
      return Stands::neither;
    return grows ? Stands::before : Stands::after;
  }
  const std::string_view header = shard.longer_header();
  std::string moving(shard.moved(), '\0');
  moving += shard.shorter_header();
  switch (stand(header_of(path, header.size()), moving, header)) {
    case Stands::neither:
      return Stands::neither;
    case Stands::after:
      return grows ? Stands::after : Stands::before;
    default:
      return Stands::between;
  }
}

Stands stand_of(const Journal::Shard& shard, const fs::path& path) {
  const Standing there = standing_of(path);
  if (!there.is_file) return Stands::neither;
  if (shard.way == Way::insert || shard.way == Way::collapse) return stand_of_moved(shard, path, there.size);
  if (shard.way == Way::overwrite) {
    if (there.size != shard.old_size) return Stands::neither;
    return stand(header_of(path, shard.old_header.size()), shard.old_header, shard.new_header);
  }
  const auto is = [&](std::uint64_t size, std::string_view header) {
    return there.size == size && header_of(path, header.size()) == header;
  };
  if (is(shard.new_size, shard.new_header)) return Stands::after;
  return is(shard.old_size, shard.old_header) ? Stands::before : Stands::neither;
}

Stands stand_of(const Journal::Text& text, const fs::path& path) {
  std::optional<Journal::Contents> there;
  const Standing standing = standing_of(path);
  if (standing.there) {
    constexpr std::uint64_t kLimit = std::uint64_t{4} << 30U;  // bytes
    if (!standing.is_file || standing.size > kLimit) return Stands::neither;
    there = {standing.size, digest_of(read_small_file(path, kLimit))};
  }
  if (there == text.after) return Stands::after;
  return there == text.before ? Stands::before : Stands::neither;
}

class Examination {
 public:
  Examination(const fs::path& folder, const fs::path& journal) : folder_(folder), journal_(journal) {}

  JournalState run(const Journal& journal) {
    for (const Journal::Shard& shard : journal.shards) {
      refuse_links(shard.name);
      const Stands stands = stand_of(shard, folder_ / shard.name);
      if (shard.way == Way::replace) {
        look_at_replaced(shard, stands);
      } else {
        take(shard.name, stands);
      }
    }
    for (const Journal::Text& text : journal.texts) {
      refuse_links(text.name);
      look_at_replaced(text, stand_of(text, folder_ / text.name));
    }
    if (!state_.can_finish && !state_.can_roll_back) {
      fail(*unfinishable_,
           "was to be replaced, and what was prepared for it is gone, while other files can no "
           "longer be put back");
    }
    return state_;
  }

 private:
  [[noreturn]] void fail(const std::string& name, std::string_view what) const {
    throw Error(
        ErrorKind::journal_invalid,
        fmt::format("{} {}; nothing was changed. If it was changed on purpose and the checkpoint is as it "
                    "should be, remove the journal {}; else put the file back and run this again",
                    quote(name), what, quote(journal_.string())))
        .in((folder_ / name).string());
  }

  // A journal that came with a folder from elsewhere must not lead a write through a link.
  void refuse_links(const std::string& name) const {
    fs::path at = folder_;
    for (const fs::path& part : fs::path(name)) {
      at /= part;
      if (standing_of(at).is_link)
        fail(name, "is a link or lies behind one, and links are never written through");
    }
  }

  void take(const std::string& name, Stands stands) {
    if (stands == Stands::neither)
      fail(name, "is neither what it was before the run nor what it was to become");
    ++state_.files;
    state_.done += stands == Stands::after ? 1U : 0U;
  }

  template <class Change>
  void look_at_replaced(const Change& change, Stands stands) {
    take(change.name, stands);
    const fs::path file = folder_ / change.name;
    if (stands == Stands::before && !is_staged(change, staged_beside(file))) {
      state_.can_finish = false;
      unfinishable_ = &change.name;
    }
    if (stands == Stands::after && !is_kept(change, kept_beside(file))) state_.can_roll_back = false;
  }

  static bool is_staged(const Journal::Shard& shard, const fs::path& path) {
    return stand_of(shard, path) == Stands::after;
  }
  static bool is_kept(const Journal::Shard& shard, const fs::path& path) {
    return stand_of(shard, path) == Stands::before;
  }
  static bool is_staged(const Journal::Text& text, const fs::path& path) {
    return stand_of(text, path) == Stands::after;
  }
  static bool is_kept(const Journal::Text& text, const fs::path& path) {
    return stand_of(text, path) == Stands::before;
  }

  const fs::path folder_;
  const fs::path& journal_;
  JournalState state_;
  const std::string* unfinishable_ = nullptr;
};

fs::path beside(const fs::path& file, std::string_view ending) {
  return file.parent_path() / fmt::format(".{}{}", file.filename().string(), ending);
}

}  // namespace

fs::path staged_beside(const fs::path& file) { return beside(file, ".keyshift-new"); }
fs::path kept_beside(const fs::path& file) { return beside(file, ".keyshift-old"); }

JournalState look_at_files(const fs::path& journal_path, const Journal& journal) {
  return Examination(journal_path.parent_path(), journal_path).run(journal);
}

}  // namespace keyshift
