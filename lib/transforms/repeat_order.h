// Repeats of parts that can match nothing: where Python and PCRE2 go through them in the same order.
#pragma once

#include "transforms/python_regex.h"

namespace keyshift::regex {

/// Whether PCRE2 tries the repetitions of `repeat` in Python's order, so that the match and its groups are
/// the same.
///
/// Python makes the repetitions that must be, then goes on until one of those that may be takes nothing; that
/// one is the last. PCRE2 does so too for `X*`, but writes `X{2,4}` out as `X X (X (X)?)?` and takes the last
/// copy of `X{2,}` for the loop. That is the same wherever X takes nothing only as its last resort, as `a*`,
/// `(\d*|b*)` do and
/// `(|b)`, `a*?` do not. A possessive repeat never goes back into a repetition, so it has one order only.
bool repeats_alike(const Node& repeat);

/// Whether the patterns' ways through `node` include one that takes nothing.
bool may_be_empty(const Node& node);

}  // namespace keyshift::regex
