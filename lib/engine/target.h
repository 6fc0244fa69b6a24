// The place where output appears, all at once or not at all: built as a locked sibling, flushed, renamed.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "format/checkpoint.h"

namespace keyshift {

/// A folder (or, for a path that ends in `.safetensors`, a single file) that is to appear at `place()`.
class Target {
 public:
  /// Checks and prepares; creates the temporary sibling `.NAME.keyshift-tmp`, after removing a stale one.
  /// `source`: where the input lies. Errors: usage (exists without `force`; equal to, inside or around the
  /// source; not a checkpoint though `force`; the folder above does not exist), io (another run holds it).
  static Target prepare(const std::filesystem::path& destination, const CheckpointPlace& source, bool force);
  Target(Target&&) noexcept;
  /// Removes what was not published.
  ~Target();

  bool is_single_file() const noexcept { return single_file_; }
  const std::filesystem::path& place() const noexcept { return place_; }
  /// Where to write an output of this name before publishing; creates folders above it. Errors: io.
  std::filesystem::path path_for(const std::string& name);
  /// The receipt's name: `keyshift-receipt.json`, or `NAME.keyshift-receipt.json` beside a single file.
  std::string receipt_name() const;
  /// Makes everything durable and visible. `names` in the order in which they are to appear where that cannot
  /// be at once (a mount point; receipt and single file). Errors: io.
  void publish(const std::vector<std::string>& names);

 private:
  Target() = default;
  void publish_into_mount_point(const std::vector<std::string>& names);
  void publish_folder();
  void publish_single_file(const std::vector<std::string>& names);
  void abandon() noexcept;

  std::filesystem::path place_;      // where it will be
  std::filesystem::path temporary_;  // the folder in which it is built
  Descriptor lock_;
  bool single_file_ = false, mount_point_ = false, replace_ = false;
};

}  // namespace keyshift
