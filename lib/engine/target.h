// The place where output appears, all at once or not at all: built as a locked sibling, flushed, renamed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/crash_cleanup.h"
#include "base/descriptor.h"
#include "format/checkpoint.h"

namespace keyshift {

/// A folder, or a single file for a destination that ends in `.safetensors`, that is to appear at place().
class Target {
 public:
  /// Checks the destination and makes the temporary folder `.NAME.keyshift-tmp` beside it (inside it, if it
  /// is a mount point), after removing a stale one, unless `resume` is set: then it is taken over. `source`:
  /// where the input lies. Errors: usage (it exists and `force` is not set; it is equal to, inside or around
  /// the source; it is not a checkpoint though `force`; no folder above it), io (another run is at work on
  /// it).
  static Target prepare(const std::filesystem::path& destination, const CheckpointPlace& source, bool force,
                        bool resume = false);
  Target(Target&&) noexcept = default;
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;
  /// Removes what was not published.
  ~Target();

  /// The nearest folder that exists at or above a destination: where it will be built, or of that file
  /// system.
  static std::filesystem::path file_system_of(const std::filesystem::path& destination);
  static bool names_single_file(const std::filesystem::path& destination);
  bool is_single_file() const noexcept { return kind_ == Kind::single_file; }
  const std::filesystem::path& place() const noexcept { return place_; }
  /// The folder in which it is built.
  const std::filesystem::path& temporary() const noexcept { return temporary_; }

  /// Leaves what was written so far to a later run with `resume`.
  void keep_unpublished() noexcept { temporary_.clear(); }
  /// Errors: io, when the file system has less than `bytes` free.
  void require_space(std::uint64_t bytes) const;
  /// Where to write an output of this name before it is published; the folders above it are made. Errors: io.
  std::filesystem::path path_for(const std::string& name) const;
  /// Makes everything durable, then visible. `names`: all outputs, relative; where they cannot appear at once
  /// they appear in this order. Errors: io; nothing is visible then, unless the message says so.
  void publish(const std::vector<std::string>& names);

 private:
  enum class Kind : std::uint8_t { folder, single_file, mount_point };

  Target() = default;
  void refuse_overlap(const CheckpointPlace& source) const;
  void settle_replaced() const;
  void refuse_occupied(bool force);
  void make_temporary(bool resume);
  void publish_folder();
  void exchange_in_two_steps();
  void publish_one_by_one(const std::filesystem::path& into, const std::vector<std::string>& names);

  std::filesystem::path place_;                                // canonical: where it will be
  std::filesystem::path sibling(std::string_view what) const;  // .NAME.keyshift-WHAT
  std::filesystem::path
      temporary_;  // the folder in which it is built; empty once there is nothing to clean up
  Descriptor lock_;
  CrashCleanup cleanup_;
  Kind kind_ = Kind::folder;
  bool replace_ = false;  // something is there that gives way
};

}  // namespace keyshift
