// A small checkpoint to try the rest on.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/interrupt.h"

namespace keyshift::tools {

/// Writes shards, index, config.json and transforms.json into `folder`, which must not exist or be empty: a
/// vision-language model of the Llama family with the names of an old checkpoint. Always the same bytes.
/// Returns the files' names. Errors: usage, io, interrupted; what was written is then removed.
std::vector<std::string> write_sample(const std::filesystem::path& folder, const Interrupt& interrupt);

}  // namespace keyshift::tools
