// What `inspect` shows of an opened checkpoint.
#pragma once

#include <string>

#include "format/checkpoint.h"
#include "tools/command.h"
#include "tools/style.h"

namespace keyshift::tools {

/// For people: a summary, then the folded tree of keys.
std::string inspect_text(const Checkpoint& checkpoint, const Style& style);
/// A line for each key: key, dtype, shape, bytes, shard.
std::string inspect_keys(const Checkpoint& checkpoint);
/// One line of JSON, keyshift-inspect/1.
std::string inspect_json(const Checkpoint& checkpoint);

}  // namespace keyshift::tools
