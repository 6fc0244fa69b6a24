#include "engine/in_place.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/in_place_file.h"
#include "base/mapped_file.h"
#include "engine/make_receipt.h"
#include "format/file_names.h"
#include "receipt/receipt.h"

namespace keyshift {

namespace fs = std::filesystem;

namespace {

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Within the old header's length if it fits; else as it was planned, with the data section where blocks can
// be inserted or shared.
void fit_header(std::string& header, std::uint64_t old_size) {
  const std::size_t text = header.find_last_not_of(' ') + 1;
  if (text > old_size) return;
  header.resize(text);
  header.resize(static_cast<std::size_t>(old_size), ' ');
  const std::uint64_t length = old_size - 8;
  for (std::size_t i = 0; i < 8; ++i) header[i] = static_cast<char>(length >> (8 * i));
}

std::vector<bool> shards_with_new_names(const KeyTable& keys) {
  std::vector<bool> changed(keys.checkpoint().shards().size());
  for (const KeyTable::Row& row : keys.rows()) {
    if (row.from != row.to) changed[row.shard] = true;
  }
  return changed;
}

// Makes the plan one of these very files: every shard with the header that it will have in its place.
std::vector<HeaderChange> fit_plan(PreparedPlan& prepared) {
  std::vector<HeaderChange> headers;
  const std::vector<bool> changed = shards_with_new_names(*prepared.keys);
  for (std::uint32_t i = 0; i < prepared.plan.shards.size(); ++i) {
    const Shard& shard = prepared.checkpoint->shards()[i];
    PlannedShard& planned = prepared.plan.shards[i];
    if (changed[i]) {
      fit_header(planned.header, shard.header().data_start());
      headers.push_back({i, planned.header});
    } else {
      planned.header = text_of(shard.header_bytes());
    }
    planned.size = planned.header.size() + shard.header().data_size();
  }
  return headers;
}

Receipt::OutputFile describe_file(const fs::path& folder, const std::string& name) {
  const MappedFile file = MappedFile::open(folder / name);
  file.populate(0, file.size());
  return {name, file.size(), digest_of(file.bytes()), {}};
}

// No tensor is read, so none has a digest; the receipt says so.
void make_receipt_text(const InPlaceRequest& request, InPlacePlan& in_place) {
  const PreparedPlan& prepared = in_place.prepared;
  const Plan& plan = prepared.plan;
  std::vector<WrittenShard> shards;
  for (const PlannedShard& shard : plan.shards) shards.push_back({shard.size, {}, {}, {}});
  std::vector<Receipt::OutputFile> others;
  for (const std::string& name : plan.side_files) {
    const auto rewritten = std::find_if(plan.rewritten.begin(), plan.rewritten.end(),
                                        [&](const RewrittenFile& file) { return file.name == name; });
    others.push_back(
        rewritten == plan.rewritten.end()
            ? describe_file(prepared.checkpoint->place().folder, name)
            : Receipt::OutputFile{name, rewritten->after.text.size(), digest_of(rewritten->after.text), {}});
  }
  if (plan.index_name)
    others.push_back({*plan.index_name, plan.index_text->size(), digest_of(*plan.index_text), {}});
  Receipt receipt = make_receipt(request.plan, prepared, shards, std::move(others));
  receipt.in_place = true;
  in_place.receipt = write_receipt(receipt, request.jobs);
  if (receipt.previous) in_place.receipt_before = std::make_unique<std::string>(std::move(*receipt.previous));
}

bool lists(const fs::path& index, const std::string& shard) {
  try {
    const std::vector<std::string> names = find_checkpoint(index).shard_names;
    return std::find(names.begin(), names.end(), shard) != names.end();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::journal_present) throw;
    return false;  // no loader takes that set anyway
  }
}

// A shard of a set that changes alone leaves an index that is wrong.
void refuse_part_of_set(const CheckpointPlace& place) {
  if (!place.is_single_file) return;
  const std::string& name = place.shard_names.front();
  for (const auto& entry : fs::directory_iterator(place.folder)) {
    const std::string index = entry.path().filename().string();
    if (!is_safetensors_index(index) || is_own(index)) continue;
    if (!lists(entry.path(), name)) continue;
    throw Error(
        ErrorKind::usage,
        fmt::format("is a shard of {}, which would no longer be right; name the index or the folder instead",
                    quote(index)))
        .in((place.folder / name).string());
  }
}

void describe_shards(InPlacePlan& plan) {
  for (std::uint32_t i = 0; i < plan.prepared.plan.shards.size(); ++i) {
    const PlannedShard& planned = plan.prepared.plan.shards[i];
    plan.shards.push_back({planned.name, std::nullopt,
                           plan.prepared.checkpoint->shards()[i].header().data_start(), planned.header.size(),
                           planned.size});
  }
  for (std::size_t i = 0; i < plan.changes.headers.size(); ++i)
    plan.shards[plan.changes.headers[i].shard].way = plan.changes.ways[i];
}

void refuse_moves(const PlanRequest& request) {
  std::string_view option;
  if (!request.subset.keep.empty()) option = "--keep";
  if (!request.subset.drop.empty()) option = "--drop";
  if (request.options.layout != Layout::keep) option = "--layout canonical";
  if (request.options.max_shard_size) option = "--max-shard-size";
  if (option.empty()) return;
  throw Error(ErrorKind::usage,
              fmt::format("{} moves tensors, and in place only headers change; convert to another "
                          "place instead",
                          option));
}

}  // namespace

InPlacePlan plan_in_place(const InPlaceRequest& request) {
  refuse_moves(request.plan);
  InPlacePlan plan;
  plan.prepared = prepare_plan(request.plan);
  const Checkpoint& checkpoint = *plan.prepared.checkpoint;
  const CheckpointPlace& place = checkpoint.place();
  refuse_part_of_set(place);
  std::vector<HeaderChange> headers = fit_plan(plan.prepared);
  plan.receipt_name =
      place.is_single_file ? receipt_name_beside(place.shard_names.front()) : std::string(kReceiptName);

  std::vector<TextChange> texts;
  if (!headers.empty()) {
    const Plan& planned = plan.prepared.plan;
    if (planned.index_name && *planned.index_text != checkpoint.index_text())
      texts.push_back({*planned.index_name, checkpoint.index_text(), std::string_view(*planned.index_text)});
    for (const RewrittenFile& file : planned.rewritten) {
      if (file.changed()) texts.push_back({file.name, file.before, std::string_view(file.after.text)});
    }
    make_receipt_text(request, plan);
    std::optional<std::string_view> before;
    if (plan.receipt_before) before = *plan.receipt_before;
    texts.push_back({plan.receipt_name, before, plan.receipt});
  }
  plan.changes = plan_changes(checkpoint, std::move(headers), std::move(texts));
  describe_shards(plan);
  plan.tensors = plan.prepared.keys->size();
  plan.changed = plan.prepared.keys->changed();
  plan.used = plan.prepared.keys->used();
  return plan;
}

void carry_out_in_place(const InPlacePlan& plan, unsigned jobs, Progress& progress,
                        const Interrupt& interrupt) {
  interrupt.check();
  if (plan.has_changes()) carry_out(plan.changes, jobs, progress, interrupt);
}

}  // namespace keyshift
