#include "engine/rewrite.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file_system.h"
#include "base/parallel.h"
#include "base/text_pieces.h"
#include "engine/copy.h"
#include "engine/make_receipt.h"
#include "engine/receipt_file.h"
#include "engine/shard_copy.h"
#include "engine/target.h"
#include "receipt/receipt.h"

namespace keyshift {

namespace fs = std::filesystem;

namespace {

RewriteResult::File write_text(const Target& target, const std::string& name, const TextPieces& text,
                               bool sha256) {
  OutputStream out = OutputStream::to_file(target.path_for(name), {.write_call = {}, .sha256 = sha256});
  for (const std::string_view piece : text.pieces()) out.write(piece);
  return {name, out.finish()};
}

std::vector<RewriteResult::File> copy_side_files(const PreparedPlan& prepared, const Target& target,
                                                 FileAccess access, bool sha256, Progress& progress,
                                                 const Interrupt& interrupt) {
  std::vector<RewriteResult::File> files;
  for (const std::string& name : prepared.plan.side_files) {
    const auto rewritten = std::find_if(prepared.plan.rewritten.begin(), prepared.plan.rewritten.end(),
                                        [&](const RewrittenFile& file) { return file.name == name; });
    if (rewritten != prepared.plan.rewritten.end()) {
      files.push_back(write_text(target, name, std::string_view(rewritten->after.text), sha256));
      continue;
    }
    const MappedFile source = MappedFile::open(prepared.checkpoint->place().folder / name, access);
    OutputStream out = OutputStream::to_file(target.path_for(name), {.write_call = {}, .sha256 = sha256});
    copy_file(source, out, progress, interrupt);
    files.push_back({name, out.finish()});
  }
  return files;
}

std::vector<Receipt::OutputFile> files_of_receipt(const std::vector<RewriteResult::File>& files) {
  std::vector<Receipt::OutputFile> rows;
  for (const auto& file : files)
    rows.push_back({file.name, file.written.size, file.written.digest, file.written.sha256});
  return rows;
}

// In the order in which they may appear: whoever sees the last one sees all.
std::vector<std::string> names_in_order(const RewriteResult& result, const Plan& plan, bool with_receipt) {
  std::vector<std::string> names;
  for (const auto& file : result.others) {
    if (file.name != plan.index_name) names.push_back(file.name);
  }
  if (with_receipt) names.push_back(result.receipt_name);
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

CopyWays plan_ways(const RewriteRequest& request, const Plan& plan) {
  return choose_ways(plan, Target::file_system_of(request.destination), request.copy);
}

namespace {

// Everything but what is said of it afterwards, below the target, not yet visible.
RewriteResult write_all(const RewriteRequest& request, PreparedPlan& prepared, const Target& target,
                        ShardCopy& shards, std::optional<ReceiptFile>& elsewhere, Progress& progress,
                        const Interrupt& interrupt) {
  const Plan& plan = prepared.plan;
  RewriteResult result;
  if (request.resume)  // otherwise it was asked before the first byte
    target.require_space(shards.needed_bytes() + (plan.index_text ? plan.index_text->size() : 0));
  progress.begin("copying", plan.data_bytes());
  const std::vector<WrittenShard> copied = shards.run(progress, interrupt);
  progress.end();
  result.resumed = shards.resumed();
  for (std::size_t i = 0; i < copied.size(); ++i)
    result.shards.push_back({plan.shards[i].name,
                             {copied[i].size, copied[i].digest.value_or(Digest()), copied[i].sha256},
                             copied[i].digest.has_value()});
  result.others =
      copy_side_files(prepared, target, request.plan.open.access, request.copy.sha256, progress, interrupt);
  if (plan.index_name) {
    result.others.push_back(
        write_text(target, *plan.index_name, std::string_view(*plan.index_text), request.copy.sha256));
    std::string().swap(*prepared.plan.index_text);  // megabytes that nobody needs again
  }

  result.used = prepared.keys->used();
  if (request.receipt.wanted) {
    const std::vector<std::string> receipt = write_receipt(
        make_receipt(request.plan, prepared, copied, files_of_receipt(result.others)), request.jobs);
    result.receipt_name = elsewhere                 ? request.receipt.place->string()
                          : target.is_single_file() ? receipt_name_beside(plan.shards.front().name)
                                                    : std::string(kReceiptName);
    result.receipt_digest = elsewhere
                                ? elsewhere->write(receipt)
                                : write_text(target, result.receipt_name, receipt, false).written.digest;
  }
  interrupt.check();
  shards.forget_notes();
  return result;
}

// Who asked to go on from where an earlier run was stopped may have to ask for it again.
[[noreturn]] void keep_for_resume(const Error& error, const ShardCopy& shards, Target& target) {
  try {
    shards.keep_only_finished();
  } catch (const Error&) {  // then the next run does it
  }
  const std::string folder = target.temporary().string();
  target.keep_unpublished();
  Error told(error.kind(),
             fmt::format("{}; {} of its shards {} in {} for another --resume", error.message(),
                         shards.finished(), shards.finished() == 1 ? "stays" : "stay", quote(folder)));
  if (error.offset()) throw std::move(told).in(error.file()).at(*error.offset());
  throw std::move(told).in(error.file());
}

}  // namespace

RewriteResult rewrite(const RewriteRequest& request, Progress& progress, const Interrupt& interrupt) {
  PreparedPlan prepared = plan_rewrite(request);
  const Plan& plan = prepared.plan;
  const CopyWays ways = plan_ways(request, plan);

  Target target =
      Target::prepare(request.destination, prepared.checkpoint->place(), request.force, request.resume);
  if (!request.resume) target.require_space(plan.output_bytes() - ways.bytes(plan, CopyWay::reflink));
  std::optional<ReceiptFile> elsewhere;
  if (request.receipt.wanted && request.receipt.place)
    elsewhere.emplace(ReceiptFile::prepare(*request.receipt.place, prepared.checkpoint->place(),
                                           request.destination, request.force));
  interrupt.check();
  // --- from here something is written, though nothing is visible yet ---

  ShardCopy shards(plan, ways, target, {request.jobs, request.resume, request.copy.sha256});
  RewriteResult result;
  try {
    result = write_all(request, prepared, target, shards, elsewhere, progress, interrupt);
  } catch (const Error& error) {
    const bool is_worth_it = error.kind() == ErrorKind::io || error.kind() == ErrorKind::interrupted;
    if (request.resume && is_worth_it && shards.finished() > 0) keep_for_resume(error, shards, target);
    throw;
  }
  if (elsewhere) elsewhere->publish();
  target.publish(names_in_order(result, plan, request.receipt.wanted && !elsewhere));
  if (elsewhere) elsewhere->keep();
  // --- from here it is there, all of it ---

  result.tensors = prepared.keys->kept();
  result.changed = prepared.keys->changed();
  result.data_bytes = plan.data_bytes();
  result.shared_bytes = ways.bytes(plan, CopyWay::reflink);
  result.kernel_bytes = ways.bytes(plan, CopyWay::range);
  result.dropped = prepared.keys->size() - result.tensors;
  result.warnings = prepared.checkpoint->warnings();
  result.rewritten = plan.rewritten;
  result.warnings.insert(result.warnings.end(), plan.warnings.begin(), plan.warnings.end());
  return result;
}

}  // namespace keyshift
