// What a conversion notes of itself while it runs, so that another one can go on from there: FORMAT.md, F36.
#pragma once

#include <cstddef>
#include <filesystem>
#include <mutex>
#include <optional>
#include <vector>

#include "base/descriptor.h"
#include "base/interrupt.h"
#include "engine/make_receipt.h"
#include "plan/plan.h"

namespace keyshift {

/// What tells that a plan over these very source files is the same one: names, headers, extents; device,
/// inode, size and times of the sources.
Digest identity_of(const Plan& plan);

class ResumeNotes {
 public:
  /// Begins notes in `folder`. With `resume` those that lie there are taken up, if they are of the same plan
  /// and sources; whatever else lies there is removed. Borrows `plan`. Errors: io.
  ResumeNotes(const std::filesystem::path& folder, const Plan& plan, bool resume);

  /// Whether a shard is noted, by an earlier run or by this one.
  bool is_noted(std::size_t shard) const noexcept { return known_[shard].has_value(); }
  /// A shard that is noted and still has the noted digest, every byte of it read again, with its SHA-256 if
  /// that is wanted; else none, and no file of its name is left. Errors: io, interrupted.
  std::optional<WrittenShard> finished(std::size_t shard, bool sha256, const Interrupt& interrupt) const;
  /// Notes a shard that is on the disk. One that was not digested cannot be checked later and is not noted.
  /// May be called from several threads. Errors: io.
  void note(std::size_t shard, const WrittenShard& written);
  /// Removes all files but the notes and the shards that they tell of. Errors: io.
  void remove_all_but_noted() const;
  /// Nothing is left of the notes: what lies beside them is to be published. Errors: io.
  void remove();

 private:
  void read();
  void append(const std::string& text);

  std::filesystem::path folder_, path_;
  const Plan& plan_;
  std::vector<std::optional<WrittenShard>> known_;
  std::mutex lock_;
  Descriptor file_;
  std::uint64_t end_ = 0;  // bytes of whole lines
};

}  // namespace keyshift
