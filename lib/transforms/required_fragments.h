// The pieces of text that a key must contain for a pattern to match it (TRANSFORMS.md, T38). In patterns as
// people write them dots are seldom escaped, so a piece may have wildcards in it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "transforms/python_regex.h"

namespace keyshift {

/// UTF-8 text, with two bytes that UTF-8 never has:
inline constexpr char kAnyCharacter = '\xFF';  // stands for one character, whichever
inline constexpr char kStartOfText = '\xFE';   // only at the front: the rest stands at the subject's start

/// Every subject that matches contains at least one of the fragments.
using FragmentSet = std::vector<std::string>;

/// What is known of a pattern: each element is true on its own, so that the caller may choose the one that
/// tells its transforms apart best. Empty: nothing is known. Every fragment begins (after kStartOfText) and
/// ends with text, not with a wildcard, and has at most kLongestFragment bytes. Cost: linear in the pattern.
std::vector<FragmentSet> required_fragments(const regex::Syntax& syntax);

inline constexpr std::size_t kLongestFragment = 64;

}  // namespace keyshift
