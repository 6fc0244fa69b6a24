#include "engine/rewrite.h"

#include "base/file_system.h"
#include "base/parallel.h"
#include "engine/copy.h"
#include "engine/target.h"
#include "receipt/receipt.h"

namespace keyshift {

namespace fs = std::filesystem;

namespace {

// Bytes after which the kernel is asked to begin writing back, so that the disk works while we copy.
constexpr std::uint64_t kFlushEvery = 32U << 20U;

struct CopiedShard {
  Written written;
  std::vector<Digest> tensors;  // in the plan's order
};

std::vector<CopiedShard> copy_shards(const PreparedPlan& prepared, const Target& target,
                                     const RewriteRequest& request, Progress& progress,
                                     const Interrupt& interrupt) {
  const std::vector<PlannedShard>& shards = prepared.plan.shards;
  std::vector<CopiedShard> copied(shards.size());
  for_each_parallel(shards.size(), request.jobs, [&](std::size_t i) {
    OutputStream out = OutputStream::to_file(target.path_for(shards[i].name),
                                             {.flush_every = kFlushEvery, .write_call = {}});
    copied[i].tensors = copy_shard(*prepared.checkpoint, shards[i], out, progress, interrupt);
    copied[i].written = out.finish();
  });
  return copied;
}

RewriteResult::File write_text(const Target& target, const std::string& name, std::string_view text) {
  OutputStream out = OutputStream::to_file(target.path_for(name), {.write_call = {}});
  out.write(text);
  return {name, out.finish()};
}

std::vector<RewriteResult::File> copy_side_files(const PreparedPlan& prepared, const Target& target,
                                                 Progress& progress, const Interrupt& interrupt) {
  std::vector<RewriteResult::File> files;
  for (const std::string& name : prepared.plan.side_files) {
    const MappedFile source = MappedFile::open(prepared.checkpoint->place().folder / name);
    OutputStream out = OutputStream::to_file(target.path_for(name), {.write_call = {}});
    copy_file(source, out, progress, interrupt);
    files.push_back({name, out.finish()});
  }
  return files;
}

std::optional<Digest> digest_of_previous_receipt(const CheckpointPlace& place) {
  const std::optional<std::string> single =
      place.is_single_file ? std::optional(place.shard_names.front()) : std::nullopt;
  const auto path = find_receipt(place.folder, single);
  if (!path) return std::nullopt;
  return digest_of(MappedFile::open(*path).bytes());
}

void describe_source(const Checkpoint& checkpoint, Receipt& receipt) {
  receipt.previous = digest_of_previous_receipt(checkpoint.place());
  receipt.source_is_single_file = checkpoint.place().is_single_file;
  for (const Shard& shard : checkpoint.shards()) {
    const auto header = shard.header_bytes();
    receipt.source_shards.push_back(
        {shard.name(), shard.file().size(),
         std::string(reinterpret_cast<const char*>(header.data()), header.size())});
  }
  if (checkpoint.index())
    receipt.source_index = Receipt::Text{*checkpoint.place().index_name, checkpoint.index_text()};
}

Receipt make_receipt(const RewriteRequest& request, const PreparedPlan& prepared,
                     const std::vector<CopiedShard>& copied, const RewriteResult& result) {
  Receipt receipt;
  receipt.direction = request.plan.renaming.direction;
  receipt.reversed = request.plan.renaming.used.which;
  receipt.strip_wrappers = request.plan.renaming.strip_wrappers;
  receipt.transforms = request.plan.transforms;
  receipt.used = result.used;
  describe_source(*prepared.checkpoint, receipt);
  for (const auto& file : result.shards)
    receipt.shards.push_back({file.name, file.written.size, file.written.digest});
  for (const auto& file : result.others)
    receipt.others.push_back({file.name, file.written.size, file.written.digest});

  std::vector<std::size_t> line_of;  // by row: its line of the receipt
  for (const KeyTable::Row& row : prepared.keys->rows()) {
    line_of.push_back(receipt.tensors.size());
    if (!row.dropped) receipt.tensors.push_back({std::string(row.from), std::string(row.to), {}});
  }
  for (std::size_t shard = 0; shard < copied.size(); ++shard) {
    const std::vector<PlannedTensor>& tensors = prepared.plan.shards[shard].tensors;
    for (std::size_t i = 0; i < tensors.size(); ++i)
      receipt.tensors[line_of[tensors[i].row]].digest = copied[shard].tensors[i];
  }
  return receipt;
}

// In the order in which they may appear: whoever sees the last one sees all.
std::vector<std::string> names_in_order(const RewriteResult& result, const Plan& plan) {
  std::vector<std::string> names;
  for (const auto& file : result.others) {
    if (file.name != plan.index_name) names.push_back(file.name);
  }
  names.push_back(result.receipt_name);
  for (const auto& file : result.shards) names.push_back(file.name);
  if (plan.index_name) names.push_back(*plan.index_name);
  return names;
}

}  // namespace

PreparedPlan plan_rewrite(const RewriteRequest& request) {
  PlanRequest plan = request.plan;
  if (Target::names_single_file(request.destination)) {
    plan.options.single_file_name = request.destination.filename().string();
  }
  return prepare_plan(plan);
}

RewriteResult rewrite(const RewriteRequest& request, Progress& progress, const Interrupt& interrupt) {
  const PreparedPlan prepared = plan_rewrite(request);
  const Plan& plan = prepared.plan;

  Target target = Target::prepare(request.destination, prepared.checkpoint->place(), request.force);
  target.require_space(plan.output_bytes());
  interrupt.check();
  // --- from here something is written, though nothing is visible yet ---

  RewriteResult result;
  progress.begin("copying", plan.data_bytes());
  const std::vector<CopiedShard> copied = copy_shards(prepared, target, request, progress, interrupt);
  progress.end();
  for (std::size_t i = 0; i < copied.size(); ++i)
    result.shards.push_back({plan.shards[i].name, copied[i].written});
  result.others = copy_side_files(prepared, target, progress, interrupt);
  if (plan.index_name) result.others.push_back(write_text(target, *plan.index_name, *plan.index_text));

  result.used = prepared.keys->used();
  result.receipt_name =
      target.is_single_file() ? receipt_name_beside(plan.shards.front().name) : std::string(kReceiptName);
  const std::string receipt = write_receipt(make_receipt(request, prepared, copied, result));
  result.receipt_digest = write_text(target, result.receipt_name, receipt).written.digest;
  interrupt.check();

  target.publish(names_in_order(result, plan));
  // --- from here it is there, all of it ---

  result.tensors = prepared.keys->kept();
  result.changed = prepared.keys->changed();
  result.data_bytes = plan.data_bytes();
  result.warnings = prepared.checkpoint->warnings();
  return result;
}

}  // namespace keyshift
