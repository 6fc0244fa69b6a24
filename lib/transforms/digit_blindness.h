// Whether a pattern can see the values of numbers between dots (PatternFacts::tells_digits_apart).
#pragma once

#include "transforms/python_regex.h"

namespace keyshift::regex {

/// False only if it is proven that the pattern takes two subjects alike that differ only in the values of
/// ASCII digits in purely numeric parts.
///
/// The argument: a matcher looks at a subject only through tests of single characters, through positions and
/// through references to groups. Positions do not change, references are given up on. A test of a character
/// that takes all ten digits alike does not change. One that does not (`1`, `[0-4]`) is harmless if, within a
/// run of such tests without any quantifier, group or branch between them, so that they succeed or fail as
/// one, it stands beside a test that takes neither digit nor dot, with no test between them that takes a dot:
/// where the run matches, the digit then lies in a part that is not purely numeric, and there the subjects
/// are the same. So `w1`, `norm2` and `conv2d[123]` are harmless; `layers\.0\.`, `1` and `.0` are not.
bool tells_digits_apart(const Node& node);

}  // namespace keyshift::regex
