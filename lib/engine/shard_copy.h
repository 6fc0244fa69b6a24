// All shards of a plan, written below a target: copied, or taken over from a run that was killed.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/interrupt.h"
#include "engine/copy_ways.h"
#include "engine/make_receipt.h"
#include "engine/progress.h"
#include "engine/resume_notes.h"
#include "engine/target.h"

namespace keyshift {

class ShardCopy {
 public:
  struct Options {
    unsigned jobs = 1;  // shards at a time
    bool resume = false;
    bool sha256 = false;  // of each file
  };

  /// Borrows all three. Errors: io.
  ShardCopy(const Plan& plan, const CopyWays& ways, const Target& target, Options options);
  /// Every shard is on the disk afterwards. Errors: io, source_changed, interrupted.
  std::vector<WrittenShard> run(Progress& progress, const Interrupt& interrupt);
  /// Shards that were there and right.
  std::uint64_t resumed() const noexcept { return resumed_; }
  /// Bytes that are still to be written and take space: not those of noted shards, nor of shared blocks.
  std::uint64_t needed_bytes() const noexcept;
  /// Shards that another run could take over.
  std::size_t finished() const noexcept;
  /// Removes what no other run could take over. Errors: io.
  void keep_only_finished() const { notes_->remove_all_but_noted(); }
  /// Nothing is left but what is to be published: the notes are removed. Errors: io.
  void forget_notes() { notes_->remove(); }

 private:
  WrittenShard copy(std::size_t shard, Progress& progress, const Interrupt& interrupt) const;

  const Plan& plan_;
  const CopyWays& ways_;
  const Target& target_;
  const Options options_;
  const bool shared_;  // hardly a byte is read
  std::optional<ResumeNotes> notes_;
  std::atomic<std::uint64_t> resumed_{0};
};

}  // namespace keyshift
