// What became of a module, judged by the tensors below it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "format/config_modules.h"

namespace keyshift {

/// Where a name went, or why nobody can tell.
struct ModuleFate {
  enum class Kind { unknown, same, renamed, unclear };
  Kind kind = Kind::unknown;  // unknown: no tensor lies below it
  std::string to;             // renamed
  std::string why;            // unclear
};

class ModuleNames {
 public:
  /// Borrows the names' text.
  explicit ModuleNames(const std::vector<RenamedTensor>& tensors);

  /// Of a module's or tensor's whole name, or else of the last parts of modules' names.
  ModuleFate fate(std::string_view name) const;

 private:
  ModuleFate whole(std::string_view name) const;
  ModuleFate ending(std::string_view name) const;

  std::vector<RenamedTensor> tensors_;       // by old name
  std::vector<std::string_view> old_, new_;  // every module, sorted, each once
};

}  // namespace keyshift
