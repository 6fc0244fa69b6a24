#include "engine/reindex.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/file_system.h"
#include "base/output_stream.h"
#include "format/file_names.h"
#include "plan/spread.h"

namespace keyshift {

namespace fs = std::filesystem;

namespace {

using Places = std::map<std::string_view, std::string_view>;  // key → shard

void refuse_what_has_none(const fs::path& path, const CheckpointPlace& place) {
  if (place.is_single_file)
    throw Error(ErrorKind::usage, "is a single file, which needs no index; name its folder")
        .in(path.string());
  if (place.hub_cache) {
    throw Error(ErrorKind::usage,
                "lies in a hub cache, whose files belong to huggingface_hub: copy the checkpoint (keyshift "
                "convert) and "
                "mend the copy")
        .in(path.string());
  }
}

// Where the set is complete all of it was taken. Else an index of what is there would hide that shards are
// missing.
void refuse_part_of_a_set(const CheckpointPlace& place) {
  for (const std::string& other : place.other_weights) {
    const auto left_out = parse_shard_number(other);
    if (!left_out) continue;
    for (const std::string& shard : place.shard_names) {
      const auto taken = parse_shard_number(shard);
      if (!taken || taken->set != left_out->set) continue;
      throw Error(
          ErrorKind::index_mismatch,
          fmt::format(
              "leaves out {}, which is of the same set as {}, and of the {} shards of that set some are "
              "missing: fetch them and run again, then all of the set are taken; or move that shard away",
              quote(other), quote(shard), taken->count))
          .in((place.folder / place.index_name.value_or("")).string());
    }
  }
}

// Where a key lies in two shards, the later one counts, which is the one that transformers takes.
Places places_of(const Checkpoint& checkpoint) {
  Places places;
  for (const Shard& shard : checkpoint.shards()) {
    for (const TensorInfo& tensor : shard.header().tensors()) places[tensor.key] = shard.name();
  }
  return places;
}

void compare(const Checkpoint& checkpoint, const Places& places, ReindexResult& result) {
  if (!checkpoint.index()) {
    result.added = places.size();
    return;
  }
  std::uint64_t known = 0;
  for (const auto& [key, shard] : checkpoint.index()->weight_map) {
    const auto place = places.find(key);
    if (place == places.end()) {
      ++result.removed;
      continue;
    }
    ++known;
    if (place->second != shard) ++result.moved;
  }
  result.added = places.size() - known;
}

bool is_right(const Checkpoint& checkpoint, const ReindexResult& result) {
  return checkpoint.index() && result.added + result.removed + result.moved == 0 &&
         checkpoint.index()->total_size == result.total_size;
}

// Beside it, flushed, then in its place.
void replace(const fs::path& path, const std::string& text) {
  const fs::path temporary = path.parent_path() / fmt::format(".{}.keyshift-tmp", path.filename().string());
  std::error_code failure;
  if (fs::is_symlink(fs::symlink_status(path, failure)))
    throw Error(ErrorKind::usage, "is a link; name the checkpoint that it leads to").in(path.string());
  remove_tree(temporary);
  try {
    OutputStream out = OutputStream::to_file(temporary, {.write_call = {}});
    out.write(text);
    out.finish();
    fs::rename(temporary, path, failure);
    if (failure) throw io_error("cannot rename the new index to it", failure.value()).in(path.string());
  } catch (...) {
    fs::remove(temporary, failure);
    throw;
  }
  sync_folder(path.parent_path());
}

}  // namespace

ReindexResult reindex(const fs::path& path, const OpenOptions& options) {
  OpenOptions tolerant = options;
  tolerant.tolerate_index_mismatch = true;
  tolerant.complete_the_set = true;
  const Checkpoint checkpoint = Checkpoint::open(path, tolerant);
  const CheckpointPlace& place = checkpoint.place();
  refuse_what_has_none(path, place);
  refuse_part_of_a_set(place);

  ReindexResult result;
  result.warnings = checkpoint.warnings();
  result.shards = checkpoint.shards().size();
  result.tensors = checkpoint.tensor_count();
  result.total_size = checkpoint.total_size();
  const bool needs_one = result.shards > 1 || place.index_name.has_value();
  if (!needs_one) return result;

  result.index_name = place.index_name.value_or(index_name_for(shard_stem(place)));
  result.was_there = checkpoint.index().has_value();
  const Places places = places_of(checkpoint);
  compare(checkpoint, places, result);
  if (is_right(checkpoint, result)) return result;

  const json::Node metadata = checkpoint.index() ? checkpoint.index()->metadata : json::Node();
  const std::vector<std::pair<std::string_view, std::string_view>> weight_map(places.begin(), places.end());
  replace(place.folder / result.index_name, write_index(weight_map, result.total_size, metadata));
  result.written = true;
  return result;
}

}  // namespace keyshift
