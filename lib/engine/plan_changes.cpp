#include <fmt/format.h>

#include <cerrno>
#include <map>

#include "base/error.h"
#include "base/file_system.h"
#include "base/in_place_file.h"
#include "base/share_blocks.h"
#include "base/utf8.h"
#include "engine/file_changes.h"

namespace keyshift {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kBlock = 4096;  // bytes: what file systems share and insert

Error refusal(ErrorKind kind, const fs::path& path, std::string message) {
  return Error(kind, std::move(message)).in(path.string());
}

void refuse_hub_cache(const CheckpointPlace& place) {
  if (!place.hub_cache) return;
  throw refusal(
      ErrorKind::usage, place.folder,
      "lies in the hub cache, whose files are shared by everything that loads this model; convert it to "
      "another place instead");
}

// Whether `name` is a link or lies behind one, below `folder`.
bool is_behind_link(const fs::path& folder, const fs::path& name) {
  fs::path at = folder;
  for (const fs::path& part : name) {
    at /= part;
    if (standing_of(at).is_link) return true;
  }
  return false;
}

void refuse_unchangeable(const fs::path& folder, const std::string& name) {
  const fs::path path = folder / name;
  if (utf8::find_invalid(name) != std::string_view::npos)
    throw refusal(ErrorKind::usage, path,
                  "its name is not UTF-8, which a journal cannot hold; rename it first");
  if (is_behind_link(folder, name)) {
    throw refusal(
        ErrorKind::usage, path,
        "is a link, and files are never changed through one: what it leads to may belong to others. Name "
        "the file itself, or convert to another place");
  }
  const Standing standing = standing_of(path);
  if (standing.there && standing.hard_links > 1) {
    throw refusal(
        ErrorKind::usage, path,
        fmt::format("has {} names (hard links), and all of them would change; convert to another place, "
                    "or give this name a copy of its own (`cp --remove-destination`)",
                    standing.hard_links));
  }
}

// That it may be opened for writing, and that nobody else writes to it.
void refuse_unwritable(const fs::path& path) {
  if (is_open_for_writing(path)) {
    throw refusal(ErrorKind::io, path,
                  "is open for writing in another process; run again when that has closed it");
  }
  try {
    open_for_changes(path);
  } catch (const Error& error) {
    throw refusal(ErrorKind::io, path,
                  error.message() + "; make it writable, or convert to another place instead");
  }
}

// What a folder's file system can do, tried out once.
class Abilities {
 public:
  // Inserts blocks and takes them out again: who does one must be able to roll it back.
  bool moves(const fs::path& folder) {
    const auto [known, is_new] = moves_.try_emplace(folder, false);
    if (is_new) known->second = try_move(folder);
    return known->second;
  }

  bool shares(const Shard& shard, std::uint64_t new_data_start) {
    const fs::path folder = shard.file().path().parent_path();
    const auto [known, is_new] = shares_.try_emplace(folder, false);
    if (is_new) known->second = try_share(folder, shard, new_data_start);
    return known->second;
  }

 private:
  static bool try_move(const fs::path& folder) {
    const Descriptor file = nameless_file(folder);
    if (!file) return false;
    try {
      write_exactly(file.get(), folder, 0, std::string(2 * kBlock, ' '));
      if (!insert_range(file.get(), folder, 0, kBlock)) return false;
      collapse_range(file.get(), folder, 0, kBlock);
      return true;
    } catch (const Error&) {
      return false;  // it cannot, or has no room for two blocks: whatever comes will tell that better
    }
  }

  static bool try_share(const fs::path& folder, const Shard& shard, std::uint64_t new_data_start) {
    const Descriptor file = nameless_file(folder);
    if (!file) return false;
    const std::uint64_t data_start = shard.header().data_start();
    try {
      return share_rest(shard.file().descriptor(), data_start / kBlock * kBlock, file.get(),
                        new_data_start / kBlock * kBlock, folder);
    } catch (const Error&) {
      return false;
    }
  }

  std::map<fs::path, bool> moves_, shares_;
};

HeaderWay choose_way(const Shard& shard, std::string_view header, Abilities& abilities) {
  const std::uint64_t before = shard.header().data_start(), after = header.size();
  if (before == after) return HeaderWay::overwrite;
  if (before % kBlock != after % kBlock) return HeaderWay::copy;
  const fs::path folder = shard.file().path().parent_path();
  // A file that ends with its header has no byte to insert before, nor one that would be left.
  if (shard.header().data_size() > 0 && abilities.moves(folder))
    return after > before ? HeaderWay::insert : HeaderWay::collapse;
  return abilities.shares(shard, after) ? HeaderWay::share : HeaderWay::copy;
}

std::uint64_t needed_bytes(const FileChanges& changes) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < changes.headers.size(); ++i) {
    const Shard& shard = changes.checkpoint->shards()[changes.headers[i].shard];
    sum +=
        shard.header().data_start() + 2 * changes.headers[i].header.size();  // the journal, the header itself
    if (changes.ways[i] == HeaderWay::copy) sum += shard.header().data_size();
  }
  for (const TextChange& text : changes.texts) sum += text.after ? text.after->size() : 0;
  return sum;
}

}  // namespace

std::string_view name(HeaderWay way) noexcept {
  switch (way) {
    case HeaderWay::overwrite:
      return "overwrite";
    case HeaderWay::insert:
      return "insert";
    case HeaderWay::collapse:
      return "collapse";
    case HeaderWay::share:
      return "share";
    case HeaderWay::copy:
      return "copy";
  }
  return "";
}

FileChanges plan_changes(const Checkpoint& checkpoint, std::vector<HeaderChange> headers,
                         std::vector<TextChange> texts) {
  const CheckpointPlace& place = checkpoint.place();
  refuse_hub_cache(place);
  FileChanges changes{&checkpoint, std::move(headers), {}, std::move(texts), 0};
  Abilities abilities;
  for (const HeaderChange& change : changes.headers) {
    const Shard& shard = checkpoint.shards()[change.shard];
    refuse_unchangeable(place.folder, shard.name());
    refuse_unwritable(shard.file().path());
    changes.ways.push_back(choose_way(shard, change.header, abilities));
  }
  for (const TextChange& text : changes.texts) {
    refuse_unchangeable(place.folder, text.name);
    if (text.before) refuse_unwritable(place.folder / text.name);
  }
  changes.needed_bytes = needed_bytes(changes);
  return changes;
}

}  // namespace keyshift
