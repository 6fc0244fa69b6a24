// Keys of shards against one another and against the index, for lint.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "format/checkpoint_lint.h"

namespace keyshift {

using NameSet = std::set<std::string, std::less<>>;

/// Appends what is wrong, one finding for all keys of one kind in one file. `unreadable`: shards that are
/// named and could not be opened; what the index promises in them is not told again. Errors: io.
void lint_keys(const std::vector<Shard>& shards, const NameSet& unreadable, const std::optional<Index>& index,
               const std::string& index_name, std::vector<CheckpointFinding>& findings);

}  // namespace keyshift
