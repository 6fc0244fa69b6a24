// What lies in a checkpoint's folder beside its shards: FORMAT.md, F28.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "format/boundary.h"

namespace keyshift {

struct FolderContents {
  std::vector<std::string> side_files;  // relative, sorted
  std::vector<std::string> weights;     // relative, sorted: of every format, the checkpoint's own among them
  std::vector<std::string> warnings;
};

/// Walks through `folder`; links to folders are not entered. Errors: io (the folder itself cannot be read).
FolderContents list_folder(const std::filesystem::path& folder, const Boundary& boundary);

}  // namespace keyshift
