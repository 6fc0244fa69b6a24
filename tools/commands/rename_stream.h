// From one regular file into another: lines are renamed while others are read and written.
#pragma once

#include "tools/console.h"
#include "transforms/transform_trie.h"

namespace keyshift::tools {

/// Writes `old<TAB>new` for each line of `in`. False where that cannot be done piece by piece: a key's new
/// name hangs on other keys, in or out cannot go back, or something is not plain (plain_lines.h), collisions
/// above all. Then `in` stands where it stood; then, and where it throws, nothing has been written. Errors:
/// io, interrupted.
bool rename_stream(const TransformTrie& trie, Input& in, Output& out, const Interrupt& interrupt);

}  // namespace keyshift::tools
