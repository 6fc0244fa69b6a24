#include "engine/make_receipt.h"

#include <algorithm>

#include "base/file_system.h"
#include "base/mapped_file.h"

namespace keyshift {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kMaxReceipt = std::uint64_t{1} << 30U;  // bytes

std::optional<std::string> previous_receipt(const CheckpointPlace& place) {
  const auto path = find_receipt(
      place.folder, place.is_single_file ? std::optional(place.shard_names.front()) : std::nullopt);
  if (!path) return std::nullopt;
  return read_small_file(*path, kMaxReceipt);
}

// A side file that went along as it was has the digest of its copy; one that stayed behind is read.
Receipt::SourceFile describe_side_file(const fs::path& folder, const std::string& name,
                                       const Receipt& receipt) {
  const auto old = std::find_if(receipt.rewritten.begin(), receipt.rewritten.end(),
                                [&](const Receipt::Text& text) { return text.name == name; });
  if (old != receipt.rewritten.end()) return {name, old->text.size(), digest_of(old->text)};
  const std::vector<Receipt::OutputFile>& others = receipt.others;
  const auto copy =
      std::find_if(others.begin(), others.end(), [&](const auto& file) { return file.name == name; });
  if (copy != others.end()) return {name, copy->size, copy->digest};
  const MappedFile file = MappedFile::open(folder / name);
  file.populate(0, file.size());
  return {name, file.size(), digest_of(file.bytes())};
}

void describe_source(const Checkpoint& checkpoint, Receipt& receipt) {
  const CheckpointPlace& place = checkpoint.place();
  receipt.previous = previous_receipt(place);
  receipt.source_is_single_file = place.is_single_file;
  for (const Shard& shard : checkpoint.shards()) {
    const auto header = shard.header_bytes();
    receipt.source_shards.push_back(
        {shard.name(), shard.file().size(), {reinterpret_cast<const char*>(header.data()), header.size()}});
  }
  if (checkpoint.index()) receipt.source_index = Receipt::Text{*place.index_name, checkpoint.index_text()};
  for (const std::string& name : place.side_files)
    receipt.source_files.push_back(describe_side_file(place.folder, name, receipt));
}

void describe_tensors(const PreparedPlan& prepared, std::span<const WrittenShard> shards, Receipt& receipt) {
  receipt.tensors.reserve(prepared.keys->rows().size());
  for (const KeyTable::Row& row : prepared.keys->rows()) {
    receipt.tensors.push_back({row.from, {}, {}});
    if (!row.dropped) receipt.tensors.back().to = row.to;
  }
  for (std::size_t shard = 0; shard < shards.size(); ++shard) {
    const std::vector<PlannedTensor>& tensors = prepared.plan.shards[shard].tensors;
    for (std::size_t i = 0; i < shards[shard].tensors.size(); ++i)
      receipt.tensors[tensors[i].row].digest = shards[shard].tensors[i];
  }
}

}  // namespace

void describe_request(const PlanRequest& request, Receipt& receipt) {
  receipt.direction = request.renaming.direction;
  receipt.reversed = request.renaming.used.which;
  receipt.strip_wrappers = request.renaming.strip_wrappers;
  receipt.transforms = request.transforms;
  if (request.renaming.target) receipt.target = digest_of_target(*request.renaming.target);
  const bool canonical = request.options.layout == Layout::canonical;
  receipt.layout = canonical ? Receipt::Layout::canonical : Receipt::Layout::keep;
  receipt.max_shard_size = request.options.max_shard_size;
  receipt.keep_patterns = request.subset.keep;
  receipt.drop_patterns = request.subset.drop;
}

Receipt make_receipt(const PlanRequest& request, const PreparedPlan& prepared,
                     std::span<const WrittenShard> shards, std::vector<Receipt::OutputFile> others) {
  Receipt receipt;
  describe_request(request, receipt);
  receipt.used = prepared.keys->used();
  receipt.others = std::move(others);
  for (const RewrittenFile& file : prepared.plan.rewritten) {
    if (file.changed()) receipt.rewritten.push_back({file.name, file.before});
  }
  describe_source(*prepared.checkpoint, receipt);
  for (std::size_t i = 0; i < shards.size(); ++i) {
    const PlannedShard& planned = prepared.plan.shards[i];
    receipt.shards.push_back(
        {planned.name, shards[i].size, digest_of(planned.header), shards[i].digest, shards[i].sha256});
  }
  describe_tensors(prepared, shards, receipt);
  return receipt;
}

}  // namespace keyshift
