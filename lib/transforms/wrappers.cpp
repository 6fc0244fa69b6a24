// Names that training wrappers leave in keys (TRANSFORMS.md, T14).
#include <algorithm>
#include <array>

#include "transforms/renaming.h"

namespace keyshift {

namespace {

// torch.compile, FSDP, activation checkpointing: module names of their own, wherever they stand.
constexpr std::array<std::string_view, 3> kAnywhere = {"_orig_mod", "_fsdp_wrapped_module",
                                                       "_checkpoint_wrapped_module"};
// DDP and DataParallel: only the outermost, for a model may have a module of that name inside.
constexpr std::string_view kAtStart = "module.";

}  // namespace

std::string strip_wrappers(std::string_view key) {
  std::string out;
  out.reserve(key.size());
  while (!key.empty()) {
    const std::size_t dot = key.find('.');
    if (dot == std::string_view::npos) {
      out += key;
      break;
    }
    const std::string_view part = key.substr(0, dot);
    if (std::find(kAnywhere.begin(), kAnywhere.end(), part) == kAnywhere.end()) out += key.substr(0, dot + 1);
    key.remove_prefix(dot + 1);
  }
  while (out.starts_with(kAtStart)) out.erase(0, kAtStart.size());
  return out;
}

}  // namespace keyshift
