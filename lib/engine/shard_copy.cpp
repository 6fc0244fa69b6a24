#include "engine/shard_copy.h"

#include <algorithm>

#include "base/file_system.h"
#include "base/parallel.h"
#include "engine/copy.h"

namespace keyshift {

namespace {

// Bytes after which the kernel is asked to begin writing back, so that the disk works while we copy.
constexpr std::uint64_t kFlushEvery = 32U << 20U;

// All but a hundredth of the bytes.
bool is_shared(const Plan& plan, const CopyWays& ways) {
  const std::uint64_t shared = ways.bytes(plan, CopyWay::reflink);
  return shared > 0 && plan.data_bytes() - shared <= plan.data_bytes() / 100 &&
         ways.digests != CopyOptions::Digests::always;
}

}  // namespace

ShardCopy::ShardCopy(const Plan& plan, const CopyWays& ways, const Target& target, Options options)
    : plan_(plan), ways_(ways), target_(target), options_(options), shared_(is_shared(plan, ways)) {
  // What costs nothing to do again is done again.
  notes_.emplace(target.temporary(), plan, options.resume && !shared_);
}

std::uint64_t ShardCopy::needed_bytes() const noexcept {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < plan_.shards.size(); ++i) {
    if (!notes_->is_noted(i)) sum += plan_.shards[i].size - ways_.bytes(plan_, i, CopyWay::reflink);
  }
  return sum;
}

std::size_t ShardCopy::finished() const noexcept {
  std::size_t count = 0;
  for (std::size_t i = 0; i < plan_.shards.size(); ++i) count += notes_->is_noted(i);
  return count;
}

std::vector<WrittenShard> ShardCopy::run(Progress& progress, const Interrupt& interrupt) {
  // Where blocks are shared, time goes into waiting for the file system: more of them at a time.
  constexpr unsigned kWaiting = 8;
  const unsigned jobs = shared_ ? std::max(options_.jobs, kWaiting) : options_.jobs;
  std::vector<WrittenShard> written(plan_.shards.size());
  for_each_parallel(written.size(), jobs, [&](std::size_t i) {
    if (auto finished = notes_->finished(i, options_.sha256, interrupt)) {
      written[i] = std::move(*finished);
      progress.advance(plan_.shards[i].size - plan_.shards[i].header.size());
      ++resumed_;
      return;
    }
    written[i] = copy(i, progress, interrupt);
    notes_->note(i, written[i]);
  });
  if (shared_) sync_file_system(target_.temporary());  // to flush each file by itself would take longest
  return written;
}

WrittenShard ShardCopy::copy(std::size_t shard, Progress& progress, const Interrupt& interrupt) const {
  const bool digested = ways_.is_digested(shard);
  OutputStream out =
      OutputStream::to_file(target_.path_for(plan_.shards[shard].name), {.sync = !shared_,
                                                                         .flush_every = kFlushEvery,
                                                                         .write_call = {},
                                                                         .digest = digested,
                                                                         .sha256 = options_.sha256});
  WrittenShard written;
  written.tensors = copy_shard(plan_, shard, ways_, out, progress, interrupt);
  const Written all = out.finish();
  written.size = all.size;
  if (digested) written.digest = all.digest;
  written.sha256 = all.sha256;
  return written;
}

}  // namespace keyshift
