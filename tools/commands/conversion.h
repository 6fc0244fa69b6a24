// What `convert` and `plan` share: the options that say what is to be done, and the plan that comes of them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tools/commands/convert.h"
#include "tools/console.h"
#include "tools/layout_options.h"
#include "tools/source_options.h"
#include "tools/transform_options.h"

namespace keyshift::tools {

class ConversionOptions {
 public:
  enum class Destination { must_be_given, may_be_absent };

  /// SRC and DST.
  void declare_paths(Options& options, Destination destination = Destination::must_be_given);
  void declare(Options& options);
  /// Errors: those of find_checkpoint and of the transforms.
  Conversion make() const { return make(source_path_, destination_, {}, source_.jobs()); }
  /// For paths of its own; `more_transforms`: files that come after those that were given.
  Conversion make(const std::filesystem::path& source, const std::filesystem::path& destination,
                  const std::vector<std::string>& more_transforms, unsigned jobs) const;
  const SourceOptions& source() const noexcept { return source_; }
  const std::string& destination() const noexcept { return destination_; }

 private:
  std::string source_path_, destination_;
  SubsetOptions subset_;
  LayoutOptions layout_;
  CopyChoice copy_;
  TransformOptions transforms_;
  SourceOptions source_;
  bool rewrite_config_ = false;
};

/// Which receipt transforms were taken from, if one was.
void note_receipt_of(const Conversion& conversion, Console& console);
/// Transforms that matched nothing, or that nothing is to be done.
void warn_of_transforms(const Conversion& conversion, const std::vector<bool>& used, Console& console);
/// With --target: what is missing and unexpected.
void note_target_of(const KeyTable& keys, const Conversion& conversion, Console& console);

/// Makes the plan and shows it; nothing is written. Returns an exit code. Errors: those of plan_rewrite.
int show_plan(const Conversion& conversion, bool json, Console& console);

}  // namespace keyshift::tools
