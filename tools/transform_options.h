// The transforms of a command, as its user gives them: files, options, direction, receipt, target.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "format/checkpoint.h"
#include "receipt/receipt.h"
#include "tools/cli.h"
#include "tools/console.h"
#include "transforms/renaming.h"
#include "transforms/transform.h"

namespace keyshift::tools {

/// What the options come to.
struct GivenTransforms {
  TransformList transforms;
  RenamingOptions renaming;
  /// The receipt that transforms or used-flags were taken from, without being asked for by name.
  std::optional<std::filesystem::path> receipt;
};

class TransformOptions {
 public:
  /// Which directions the command knows: roundtrip goes both ways and takes neither --direction nor --used.
  enum class Directions { one_of_two, both };

  void declare(Options& options, Directions directions = Directions::one_of_two);
  /// Reads all files. `source`: where a receipt may lie that says what a save has to reverse; none for a
  /// filter. Errors: usage; those of transform files, receipts and of the target's checkpoint.
  GivenTransforms resolve(const std::optional<CheckpointPlace>& source, const OpenOptions& open) const;
  /// Whether resolve() would look beside the source: nobody else need find the place first.
  bool looks_beside_source() const noexcept { return direction_ == "save" && used_.empty(); }
  /// Another transform file, after those that were given.
  void add_file(const std::string& file) { files_.push_back(file); }
  /// True if nothing at all was said about transforms.
  bool none_given() const noexcept;
  bool has_target() const noexcept { return !target_.empty(); }
  /// True if nothing but --target, or nothing at all, was said about them.
  bool nothing_but_target() const noexcept;
  /// The keys of --target, if it was given. Errors: those of read_target().
  std::shared_ptr<const TargetKeys> target(const OpenOptions& open) const;

 private:
  TransformList list() const;
  void choose_used(const std::optional<CheckpointPlace>& source, GivenTransforms& given) const;

  std::vector<std::string> files_;
  std::vector<Transform> extra_;  // from options, in the order given
  std::string direction_ = "load", used_, target_;
  bool strip_wrappers_ = false;
};

/// The receipt that lies beside a checkpoint, if there is one.
std::optional<std::filesystem::path> receipt_beside(const CheckpointPlace& place);

/// The target's keys: a checkpoint's, or those of a JSON file with an array of keys and [key, dtype, shape].
/// Errors: those of Checkpoint::open; transform_file_invalid with the place.
std::shared_ptr<const TargetKeys> read_target(const std::filesystem::path& path, const OpenOptions& open);

/// What a model expects and what it gets. Both in order of bytes.
struct TargetReport {
  std::vector<std::string> missing, unexpected;
};
TargetReport compare_with_target(const TargetKeys& target, const std::vector<std::string_view>& new_keys);
/// Tells the report on stderr, a few keys of each kind.
void note_target(const TargetReport& report, Console& console);

/// A sentence for each transform that never matched; `used`: one flag per transform, in file order.
std::vector<std::string> unused_transforms(const TransformList& transforms, const std::vector<bool>& used);
/// Warns of transforms that never matched; `used`: one flag per transform, in file order.
void warn_of_unused(const TransformList& transforms, const std::vector<bool>& used, Console& console);

}  // namespace keyshift::tools
