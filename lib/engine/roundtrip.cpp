#include "engine/roundtrip.h"

#include <algorithm>

#include "base/parallel.h"
#include "engine/copy.h"

namespace keyshift {

namespace {

std::string first_difference(const Shard& there, const PlannedShard& written) {
  const auto header = there.header_bytes();
  const std::string_view old_text(reinterpret_cast<const char*>(header.data()), header.size());
  if (old_text == written.header) return "the tensors' bytes";
  if (old_text.size() != written.header.size()) return "the length of the header";
  const auto at =
      std::mismatch(old_text.begin(), old_text.end(), written.header.begin()).first - old_text.begin();
  return "the header, from byte " + std::to_string(at);
}

RoundtripResult::File pass(const Checkpoint& checkpoint, const PlannedShard& shard, Progress& progress,
                           const Interrupt& interrupt) {
  const Shard& source = checkpoint.shards()[*shard.source];
  Hasher there;
  there.update(source.header_bytes());
  OutputStream out = OutputStream::to_digest();
  copy_shard(checkpoint, shard, out, progress, interrupt, &there);
  RoundtripResult::File file{shard.name, there.value(), out.finish().digest, false, {}};
  file.same = file.there == file.written;
  if (!file.same) file.difference = first_difference(source, shard);
  return file;
}

// An index says the same in many ways (sorted or not, with or without a final newline), and loaders do not
// care which: it is at home when it names the same tensors in the same shards.
RoundtripResult::File compare_index(const Checkpoint& checkpoint, const Plan& plan) {
  RoundtripResult::File file{
      *plan.index_name, digest_of(checkpoint.index_text()), digest_of(*plan.index_text), false, {}};
  auto there = checkpoint.index()->weight_map;
  auto written = read_index(*plan.index_text, *plan.index_name).weight_map;
  std::sort(there.begin(), there.end());
  std::sort(written.begin(), written.end());
  file.same = there == written;
  if (!file.same) {
    file.difference = "which tensor is in which shard";
  } else if (file.there != file.written) {
    file.difference = "only in form: a save writes it as transformers does";
  }
  return file;
}

}  // namespace

RoundtripResult roundtrip(const PlanRequest& request, unsigned jobs, Progress& progress,
                          const Interrupt& interrupt) {
  const PreparedRoundtrip prepared = prepare_roundtrip(request);
  const Checkpoint& checkpoint = *prepared.load.checkpoint;
  const Plan& plan = prepared.plan;

  RoundtripResult result;
  result.files.resize(plan.shards.size());
  progress.begin("round trip", plan.data_bytes());
  for_each_parallel(plan.shards.size(), jobs, [&](std::size_t i) {
    result.files[i] = pass(checkpoint, plan.shards[i], progress, interrupt);
  });
  progress.end();
  if (plan.index_name) result.files.push_back(compare_index(checkpoint, plan));

  for (std::size_t i = 0; i < prepared.saved->size(); ++i) {
    const KeyTable::Row row = prepared.saved->row(i);
    if (!row.dropped && row.from != row.to) {
      result.changed.push_back(
          {std::string(row.from), std::string(prepared.load.keys->row(i).to), std::string(row.to)});
    }
  }
  result.used = prepared.load.keys->used();
  result.tensors = prepared.saved->kept();
  result.data_bytes = plan.data_bytes();
  result.same =
      std::all_of(result.files.begin(), result.files.end(), [](const auto& file) { return file.same; });
  return result;
}

}  // namespace keyshift
