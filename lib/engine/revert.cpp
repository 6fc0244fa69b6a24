#include "engine/revert.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/parallel.h"
#include "engine/against_receipt.h"
#include "engine/copy.h"
#include "engine/target.h"

namespace keyshift {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kFlushEvery = 32U << 20U;  // bytes after which the disk is set to work

class Revert {
 public:
  Revert(const RevertRequest& request, Progress& progress, const Interrupt& interrupt)
      : request_(request), progress_(progress), interrupt_(interrupt) {}

  RevertResult run() {
    conversion_ = open_conversion(request_.source, request_.receipt, request_.open);
    result_.receipt = conversion_.receipt_file;
    check_destination();
    Target target = Target::prepare(request_.destination, checkpoint_->place(), request_.force);
    target_ = &target;
    target.require_space(bytes());
    interrupt_.check();
    // --- from here something is written, though nothing is visible yet ---

    copy_shards();
    copy_side_files();
    write_texts();
    warn_of_what_stays_behind();
    interrupt_.check();
    target.publish(names_in_order());
    // --- from here it is there, all of it ---
    summarise();
    return std::move(result_);
  }

 private:
  std::uint64_t bytes() const {
    std::uint64_t sum = receipt_.source_index ? receipt_.source_index->text.size() : 0;
    for (const PlannedShard& shard : plan_) sum += shard.size;
    for (const auto& file : receipt_.source_files) sum += file.size;
    return sum;
  }

  void check_destination() {
    const bool single = Target::names_single_file(request_.destination);
    if (!single) return;
    if (plan_.size() != 1 || receipt_.source_index || !receipt_.source_files.empty()) {
      throw Error(
          ErrorKind::usage,
          fmt::format("the original is {} with {} other files, which do not fit into the one file {}; name "
                      "a folder as the destination",
                      plan_.size() == 1 ? "one shard" : fmt::format("{} shards", plan_.size()),
                      receipt_.source_files.size() + (receipt_.source_index ? 1 : 0),
                      quote(request_.destination.filename().string())));
    }
    plan_.front().name = request_.destination.filename().string();
  }

  void copy_shards() {
    for (const PlannedShard& shard : plan_) result_.data_bytes += shard.size - shard.header.size();
    progress_.begin("reverting", result_.data_bytes);
    result_.shards.resize(plan_.size());
    for_each_parallel(plan_.size(), request_.jobs, [&](std::size_t i) { copy(i); });
    progress_.end();
  }

  void copy(std::size_t number) {
    const PlannedShard& shard = plan_[number];
    OutputStream out =
        OutputStream::to_file(target_->path_for(shard.name), {.flush_every = kFlushEvery, .write_call = {}});
    const std::vector<Digest> digests = copy_shard(*checkpoint_, shard, out, progress_, interrupt_);
    check_tensors_of(conversion_, number, digests);
    result_.shards[number] = {shard.name, out.finish()};
  }

  void write_text(const std::string& name, std::string_view text) {
    OutputStream out = OutputStream::to_file(target_->path_for(name), {.write_call = {}});
    out.write(text);
    result_.others.push_back({name, out.finish()});
  }

  void copy_side_files() {
    for (const Receipt::SourceFile& file : receipt_.source_files) {
      if (const Receipt::Text* text = rewritten_text(receipt_, file.name)) {
        write_text(file.name, text->text);
      } else if (went_along(conversion_, file.name)) {
        copy_side_file(file.name);
      } else {
        result_.warnings.push_back(
            fmt::format("{} of the original did not go along with the conversion, and so does not come back",
                        quote(file.name)));
        continue;
      }
      const Written& written = result_.others.back().written;
      check_side_file(conversion_, file, written.size, written.digest);
    }
  }

  void copy_side_file(const std::string& name) {
    const MappedFile source = MappedFile::open(checkpoint_->place().folder / name);
    OutputStream out = OutputStream::to_file(target_->path_for(name), {.write_call = {}});
    copy_file(source, out, progress_, interrupt_);
    result_.others.push_back({name, out.finish()});
  }

  void write_texts() {
    if (receipt_.source_index) write_text(receipt_.source_index->name, receipt_.source_index->text);
    if (receipt_.previous) write_text(previous_name(), *receipt_.previous);
  }

  std::string previous_name() const {
    return receipt_.source_is_single_file || target_->is_single_file()
               ? receipt_name_beside(plan_.front().name)
               : std::string(kReceiptName);
  }

  void warn_of_what_stays_behind() {
    for (const std::string& name : checkpoint_->place().side_files) {
      const bool known = std::any_of(receipt_.source_files.begin(), receipt_.source_files.end(),
                                     [&](const auto& file) { return file.name == name; });
      if (!known && !checkpoint_->place().is_single_file)
        result_.warnings.push_back(
            fmt::format("{} is no part of the original and stays behind", quote(name)));
    }
  }

  // In the order in which they may appear: whoever sees the last one sees all.
  std::vector<std::string> names_in_order() const {
    std::vector<std::string> names;
    const std::string index = receipt_.source_index ? receipt_.source_index->name : "";
    for (const auto& file : result_.others) {
      if (file.name != index) names.push_back(file.name);
    }
    for (const auto& file : result_.shards) names.push_back(file.name);
    if (!index.empty()) names.push_back(index);
    return names;
  }

  void summarise() {
    result_.digests = digests_held(receipt_);
    result_.tensors = receipt_.tensors.size();
    for (const Receipt::Tensor& tensor : receipt_.tensors) result_.proven += tensor.digest ? 1 : 0;
    const auto& warnings = checkpoint_->warnings();
    result_.warnings.insert(result_.warnings.begin(), warnings.begin(), warnings.end());
  }

  const RevertRequest& request_;
  Progress& progress_;
  const Interrupt& interrupt_;
  OpenedConversion conversion_;
  const Receipt& receipt_ = conversion_.receipt;
  const std::unique_ptr<Checkpoint>& checkpoint_ = conversion_.checkpoint;
  std::vector<PlannedShard>& plan_ = conversion_.original;
  const Target* target_ = nullptr;
  RevertResult result_;
};

}  // namespace

RevertResult revert(const RevertRequest& request, Progress& progress, const Interrupt& interrupt) {
  return Revert(request, progress, interrupt).run();
}

}  // namespace keyshift
