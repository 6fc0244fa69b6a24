#include "engine/revert.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/parallel.h"
#include "engine/against_receipt.h"
#include "engine/copy.h"
#include "engine/original_layout.h"
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
    check_index_against_receipt(request_.source, request_.receipt);
    const CheckpointPlace place = find_checkpoint(request_.source, request_.open);
    result_.receipt = require_receipt(place, request_.receipt);
    receipt_ = read_receipt(result_.receipt);
    check_against_receipt(place, receipt_, result_.receipt);
    checkpoint_.emplace(Checkpoint::open(request_.source, request_.open));
    plan_ = original_layout(receipt_, *checkpoint_, result_.receipt);
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
    for (std::size_t i = 0; i < digests.size(); ++i) {
      const Receipt::Tensor& tensor = receipt_.tensors[shard.tensors[i].row];
      if (tensor.digest && *tensor.digest != digests[i])
        throw changed_tensor(tensor, digests[i], file_of(shard, i), shard.tensors[i].source_offset);
    }
    result_.shards[number] = {shard.name, out.finish()};
  }

  // Where a tensor was read; zero-size ones are nowhere.
  const fs::path& file_of(const PlannedShard& shard, std::size_t tensor) const {
    std::uint64_t at = shard.header.size();
    for (std::size_t i = 0; i < tensor; ++i) at += shard.tensors[i].size;
    const auto after = std::find_if(shard.extents.begin(), shard.extents.end(),
                                    [&](const Extent& extent) { return extent.target_offset > at; });
    const std::uint32_t from = after == shard.extents.begin() ? 0 : std::prev(after)->source_shard;
    return checkpoint_->shards()[from].file().path();
  }

  const Receipt::Text* rewritten(const std::string& name) const {
    const auto found = std::find_if(receipt_.rewritten.begin(), receipt_.rewritten.end(),
                                    [&](const Receipt::Text& text) { return text.name == name; });
    return found == receipt_.rewritten.end() ? nullptr : &*found;
  }

  void write_text(const std::string& name, std::string_view text) {
    OutputStream out = OutputStream::to_file(target_->path_for(name), {.write_call = {}});
    out.write(text);
    result_.others.push_back({name, out.finish()});
  }

  void copy_side_files() {
    for (const Receipt::SourceFile& file : receipt_.source_files) {
      if (const Receipt::Text* text = rewritten(file.name)) {
        write_text(file.name, text->text);
      } else if (went_along(file.name)) {
        copy_side_file(file.name);
      } else {
        result_.warnings.push_back(
            fmt::format("{} of the original did not go along with the conversion, and so does not come back",
                        quote(file.name)));
        continue;
      }
      const Written& written = result_.others.back().written;
      if (written.digest == file.digest && written.size == file.size) continue;
      throw Error(ErrorKind::source_changed,
                  fmt::format("has digest {}, where the original had {}; it was damaged or changed after the "
                              "conversion, so the original cannot be made from it",
                              written.digest.hex(), file.digest.hex()))
          .in((checkpoint_->place().folder / file.name).string());
    }
  }

  // Only names that belong to the checkpoint are read: a receipt may name what it likes.
  bool went_along(const std::string& name) const {
    const auto& there = checkpoint_->place().side_files;
    if (std::find(there.begin(), there.end(), name) != there.end()) return true;
    const bool was_written =
        receipt_.in_place || std::any_of(receipt_.others.begin(), receipt_.others.end(),
                                         [&](const auto& file) { return file.name == name; });
    if (!was_written) return false;
    throw Error(
        ErrorKind::source_changed,
        "is missing, where the receipt says that it belongs to the checkpoint; the original cannot be "
        "made without it")
        .in((checkpoint_->place().folder / name).string());
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
  Receipt receipt_;
  std::optional<Checkpoint> checkpoint_;
  std::vector<PlannedShard> plan_;
  const Target* target_ = nullptr;
  RevertResult result_;
};

}  // namespace

RevertResult revert(const RevertRequest& request, Progress& progress, const Interrupt& interrupt) {
  return Revert(request, progress, interrupt).run();
}

}  // namespace keyshift
