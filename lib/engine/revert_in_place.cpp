#include "engine/revert_in_place.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "base/file_system.h"
#include "base/mapped_file.h"
#include "base/output_stream.h"
#include "base/parallel.h"
#include "engine/copy.h"

namespace keyshift {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kMaxText = std::uint64_t{1} << 30U;  // bytes

class RevertInPlace {
 public:
  RevertInPlace(const RevertInPlaceRequest& request, Progress& progress, const Interrupt& interrupt)
      : request_(request),
        progress_(progress),
        interrupt_(interrupt),
        conversion_(open_conversion(request.path, request.receipt, request.open)),
        receipt_(conversion_.receipt),
        checkpoint_(*conversion_.checkpoint),
        folder_(checkpoint_.place().folder) {}

  RevertInPlaceResult run() {
    result_.receipt = conversion_.receipt_file;
    std::vector<HeaderChange> headers = change_headers();
    change_index();
    change_side_files();
    change_receipt();
    check_tensors();
    const FileChanges changes = plan_changes(checkpoint_, std::move(headers), std::move(texts_));
    for (std::size_t i = 0; i < changes.headers.size(); ++i)
      result_.shards[changes.headers[i].shard].way = changes.ways[i];
    for (const TextChange& text : changes.texts)
      (text.after ? result_.written : result_.removed).push_back(text.name);
    summarise();
    interrupt_.check();
    carry_out(changes, request_.jobs, progress_, interrupt_);
    return std::move(result_);
  }

 private:
  [[noreturn]] void refuse_moved(const std::string& name) const {
    throw Error(
        ErrorKind::usage,
        fmt::format("does not hold the tensors that {} of the original had, in their order, so headers alone "
                    "cannot bring it back; revert to another place",
                    quote(name)))
        .in(conversion_.receipt_file.string());
  }

  // The shard that the original one became, with its data section as it was.
  std::uint32_t shard_of(const PlannedShard& original) const {
    const auto& shards = checkpoint_.shards();
    const bool renamed_file = checkpoint_.place().is_single_file && shards.size() == 1;
    const auto found = std::find_if(shards.begin(), shards.end(), [&](const Shard& shard) {
      return renamed_file || shard.name() == original.name;
    });
    if (found == shards.end()) refuse_moved(original.name);
    const auto number = static_cast<std::uint32_t>(found - shards.begin());
    const Header& header = found->header();
    const std::uint64_t size = original.size - original.header.size();
    const bool same_data =
        size == header.data_size() && original.extents.size() == (size > 0 ? 1 : 0) &&
        std::all_of(original.extents.begin(), original.extents.end(), [&](const Extent& extent) {
          return extent.source_shard == number && extent.source_offset == header.data_start();
        });
    if (!same_data) refuse_moved(original.name);
    return number;
  }

  std::vector<HeaderChange> change_headers() {
    if (conversion_.original.size() != checkpoint_.shards().size())
      refuse_moved(conversion_.original.front().name);
    std::vector<HeaderChange> headers;
    for (const Shard& shard : checkpoint_.shards()) result_.shards.push_back({shard.name(), 0, {}});
    for (const PlannedShard& original : conversion_.original) {
      const std::uint32_t number = shard_of(original);
      result_.shards[number].size = original.size;
      const auto bytes = checkpoint_.shards()[number].header_bytes();
      const std::string_view now(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      if (now != original.header) headers.push_back({number, original.header});
    }
    return headers;
  }

  // Borrows the texts.
  void change(const std::string& name, std::optional<std::string_view> before,
              std::optional<std::string_view> after) {
    if (before == after) return;
    texts_.push_back({name, before, std::nullopt});
    if (after) texts_.back().after = *after;
  }

  std::optional<std::string_view> text_there(const std::string& name) {
    std::error_code ignored;
    if (!fs::exists(fs::symlink_status(folder_ / name, ignored))) return std::nullopt;
    return kept_.emplace_back(read_small_file(folder_ / name, kMaxText));
  }

  void change_index() {
    const auto& now = checkpoint_.place().index_name;
    const auto& was = receipt_.source_index;
    if (checkpoint_.place().is_single_file) return;
    if (now && (!was || was->name != *now)) change(*now, checkpoint_.index_text(), std::nullopt);
    if (was) change(was->name, text_there(was->name), was->text);
  }

  void change_side_files() {
    for (const Receipt::SourceFile& file : receipt_.source_files) {
      if (const Receipt::Text* text = rewritten_text(receipt_, file.name)) {
        check_side_file(conversion_, file, text->text.size(), digest_of(text->text));
        change(file.name, text_there(file.name), text->text);
      } else if (went_along(conversion_, file.name)) {
        const MappedFile there = MappedFile::open(folder_ / file.name);
        there.populate(0, there.size());
        check_side_file(conversion_, file, there.size(), digest_of(there.bytes()));
      } else {
        result_.warnings.push_back(
            fmt::format("{} of the original did not go along with the conversion, and so does not come back",
                        quote(file.name)));
      }
    }
  }

  void change_receipt() {
    const CheckpointPlace& place = checkpoint_.place();
    const std::string name =
        place.is_single_file ? receipt_name_beside(place.shard_names.front()) : std::string(kReceiptName);
    change(name, text_there(name), receipt_.previous);
  }

  // Nothing is written: the bytes are read to be held against the receipt, where that has digests of them.
  void check_tensors() {
    if (digests_held(receipt_) == DigestsHeld::none) return;
    std::uint64_t bytes = 0;
    for (const Shard& shard : checkpoint_.shards()) bytes += shard.header().data_size();
    progress_.begin("checking", bytes);
    for_each_parallel(conversion_.original.size(), request_.jobs, [&](std::size_t i) {
      OutputStream nowhere = OutputStream::to_digest();
      check_tensors_of(conversion_, i,
                       copy_shard(checkpoint_, conversion_.original[i], nowhere, progress_, interrupt_));
    });
    progress_.end();
  }

  void summarise() {
    result_.digests = digests_held(receipt_);
    result_.tensors = receipt_.tensors.size();
    for (const Receipt::Tensor& tensor : receipt_.tensors) result_.proven += tensor.digest ? 1 : 0;
    const auto& warnings = checkpoint_.warnings();
    result_.warnings.insert(result_.warnings.begin(), warnings.begin(), warnings.end());
  }

  const RevertInPlaceRequest& request_;
  Progress& progress_;
  const Interrupt& interrupt_;
  const OpenedConversion conversion_;
  const Receipt& receipt_;
  const Checkpoint& checkpoint_;
  const fs::path folder_;
  std::vector<TextChange> texts_;
  std::deque<std::string> kept_;  // what texts_ borrow
  RevertInPlaceResult result_;
};

}  // namespace

RevertInPlaceResult revert_in_place(const RevertInPlaceRequest& request, Progress& progress,
                                    const Interrupt& interrupt) {
  return RevertInPlace(request, progress, interrupt).run();
}

}  // namespace keyshift
