// The test mode of the trie: every key goes through RenameRun and through PlainRun, and the two must agree.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "transforms/shape_kernel.h"
#include "transforms/transform_trie.h"

namespace keyshift {

/// The first difference between the trie and the plain form over `keys` (new key, outcome or used-flags), in
/// words for people; nullopt if there is none. With a stateful Renaming `keys` are all keys of the
/// checkpoint. Errors: those of PlainRun when both forms fail alike.
std::optional<std::string> check_against_plain(const TransformTrie& trie,
                                               std::span<const std::string_view> keys);
/// The same with that loop instead of this machine's fastest one.
std::optional<std::string> check_against_plain(const TransformTrie& trie,
                                               std::span<const std::string_view> keys,
                                               const ShapeKernel& kernel);

}  // namespace keyshift
