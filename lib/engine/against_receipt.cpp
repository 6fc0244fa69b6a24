#include "engine/against_receipt.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/mapped_file.h"
#include "engine/original_layout.h"
#include "format/file_names.h"
#include "format/header.h"

namespace keyshift {

namespace fs = std::filesystem;

namespace {

Error changed(const fs::path& file, std::string message) {
  return Error(ErrorKind::source_changed,
               std::move(message) +
                   "; it was damaged or changed after the conversion, so the original cannot be "
                   "made from it")
      .in(file.string());
}

void check_shard(const Receipt::OutputShard& shard, const fs::path& path) {
  const MappedFile file = MappedFile::open(path);
  if (file.size() != shard.size)
    throw changed(path, fmt::format("has {} bytes, where the receipt says {}", file.size(), shard.size));
  constexpr std::uint64_t kFirstLook = 4096;  // bytes
  file.populate(0, std::min(file.size(), kFirstLook));
  const std::uint64_t size = 8 + header_length(file.bytes(), file.size(), path.string());
  file.populate(0, size);
  const Digest digest = digest_of(file.bytes().first(size));
  if (digest == shard.header_digest) return;
  throw changed(path, fmt::format("has a header of digest {}, where the receipt says {}", digest.hex(),
                                  shard.header_digest.hex()));
}

void check_index(const Receipt::OutputFile& written, const fs::path& path) {
  const MappedFile file = MappedFile::open(path);
  file.populate(0, file.size());
  const Digest digest = digest_of(file.bytes());
  if (digest == written.digest) return;
  throw changed(path,
                fmt::format("has digest {}, where the receipt says {}", digest.hex(), written.digest.hex()));
}

void check_names(const CheckpointPlace& place, const Receipt& receipt, const fs::path& receipt_file) {
  std::vector<std::string> told;
  for (const auto& shard : receipt.shards) told.push_back(shard.name);
  std::vector<std::string> there = place.shard_names;
  std::sort(told.begin(), told.end());
  std::sort(there.begin(), there.end());
  // A single file may have been given another name.
  if (told == there || (place.is_single_file && told.size() == 1 && there.size() == 1)) return;
  throw Error(
      ErrorKind::receipt_invalid,
      fmt::format("tells of {} shards, {} the first, where {} has {}, {} the first; it belongs to another "
                  "checkpoint",
                  told.size(), told.empty() ? "none" : quote(told.front()), quote(place.folder.string()),
                  there.size(), there.empty() ? "none" : quote(there.front())))
      .in(receipt_file.string());
}

}  // namespace

fs::path require_receipt(const CheckpointPlace& place, const std::optional<fs::path>& given) {
  const std::optional<std::string> single =
      place.is_single_file ? std::optional(place.shard_names.front()) : std::nullopt;
  if (given) {
    std::error_code ignored;
    if (!fs::exists(*given, ignored))
      throw Error(ErrorKind::receipt_invalid, "does not exist").in(given->string());
    return *given;
  }
  if (const auto beside = find_receipt(place.folder, single)) return *beside;
  throw Error(
      ErrorKind::receipt_invalid,
      "there is no receipt of a conversion here: without it nobody knows the old headers (their names, "
      "order, padding and __metadata__), index and split into shards; name it with --receipt, or give "
      "tensors their old names with `keyshift convert --direction save` and the transforms")
      .in((place.folder / (single ? receipt_name_beside(*single) : std::string(kReceiptName))).string());
}

void check_against_receipt(const CheckpointPlace& place, const Receipt& receipt,
                           const fs::path& receipt_file) {
  check_names(place, receipt, receipt_file);
  for (const Receipt::OutputShard& shard : receipt.shards) {
    const std::string& name = place.is_single_file ? place.shard_names.front() : shard.name;
    check_shard(shard, place.folder / name);
  }
  if (!place.index_name) return;
  const auto written = std::find_if(receipt.others.begin(), receipt.others.end(),
                                    [&](const auto& file) { return file.name == *place.index_name; });
  if (written == receipt.others.end())
    throw changed(place.folder / *place.index_name, "is an index, where the receipt tells of none");
}

void check_index_against_receipt(const fs::path& path, const std::optional<fs::path>& given) {
  if (path.extension() == ".safetensors") return;
  std::error_code ignored;
  const fs::path folder = fs::is_directory(path, ignored) ? path : path.parent_path();
  const fs::path receipt_file = given ? *given : folder / kReceiptName;
  if (!fs::exists(receipt_file, ignored)) return;
  for (const Receipt::OutputFile& file : read_receipt(receipt_file).others) {
    if (is_safetensors_index(fs::path(file.name).filename().string()) &&
        fs::exists(folder / file.name, ignored))
      check_index(file, folder / file.name);
  }
}

OpenedConversion open_conversion(const fs::path& path, const std::optional<fs::path>& receipt,
                                 const OpenOptions& open) {
  check_index_against_receipt(path, receipt);
  const CheckpointPlace place = find_checkpoint(path, open);
  OpenedConversion conversion;
  conversion.receipt_file = require_receipt(place, receipt);
  conversion.receipt = read_receipt(conversion.receipt_file);
  check_against_receipt(place, conversion.receipt, conversion.receipt_file);
  conversion.checkpoint = std::make_unique<Checkpoint>(Checkpoint::open(path, open));
  conversion.original = original_layout(conversion.receipt, *conversion.checkpoint, conversion.receipt_file);
  return conversion;
}

namespace {

// Where a tensor of the original was read; those of no bytes are nowhere.
const fs::path& file_of(const OpenedConversion& conversion, const PlannedShard& shard, std::size_t tensor) {
  std::uint64_t at = shard.header.size();
  for (std::size_t i = 0; i < tensor; ++i) at += shard.tensors[i].size;
  const auto after = std::find_if(shard.extents.begin(), shard.extents.end(),
                                  [&](const Extent& extent) { return extent.target_offset > at; });
  const std::uint32_t from = after == shard.extents.begin() ? 0 : std::prev(after)->source_shard;
  return conversion.checkpoint->shards()[from].file().path();
}

}  // namespace

void check_tensors_of(const OpenedConversion& conversion, std::size_t shard,
                      const std::vector<Digest>& digests) {
  const PlannedShard& planned = conversion.original[shard];
  for (std::size_t i = 0; i < digests.size(); ++i) {
    const Receipt::Tensor& tensor = conversion.receipt.tensors[planned.tensors[i].row];
    if (!tensor.digest || *tensor.digest == digests[i]) continue;
    throw changed(file_of(conversion, planned, i),
                  fmt::format("the tensor's bytes have digest {}, where the receipt says {}",
                              digests[i].hex(), tensor.digest->hex()))
        .at(planned.tensors[i].source_offset)
        .for_key(*tensor.to);
  }
}

const Receipt::Text* rewritten_text(const Receipt& receipt, const std::string& name) {
  const auto found = std::find_if(receipt.rewritten.begin(), receipt.rewritten.end(),
                                  [&](const Receipt::Text& text) { return text.name == name; });
  return found == receipt.rewritten.end() ? nullptr : &*found;
}

// Only names that belong to the checkpoint are read: a receipt may name what it likes.
bool went_along(const OpenedConversion& conversion, const std::string& name) {
  const CheckpointPlace& place = conversion.checkpoint->place();
  if (std::find(place.side_files.begin(), place.side_files.end(), name) != place.side_files.end())
    return true;
  const Receipt& receipt = conversion.receipt;
  const bool was_written =
      receipt.in_place || std::any_of(receipt.others.begin(), receipt.others.end(),
                                      [&](const auto& file) { return file.name == name; });
  if (!was_written) return false;
  throw Error(
      ErrorKind::source_changed,
      "is missing, where the receipt says that it belongs to the checkpoint; the original cannot be made "
      "without it")
      .in((place.folder / name).string());
}

void check_side_file(const OpenedConversion& conversion, const Receipt::SourceFile& file, std::uint64_t size,
                     const Digest& digest) {
  if (digest == file.digest && size == file.size) return;
  throw changed(conversion.checkpoint->place().folder / file.name,
                fmt::format("has digest {}, where the original had {}", digest.hex(), file.digest.hex()));
}

}  // namespace keyshift
