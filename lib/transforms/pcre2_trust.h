// Which patterns PCRE2 may optimise.
#pragma once

#include "transforms/python_regex.h"

namespace keyshift::regex {

/// Whether the pattern is made of the plain parts that renaming rules are made of: literals, sets, `.`,
/// groups, alternatives, `^` and `$`, negative looks ahead and behind, greedy repeats of single characters.
///
/// PCRE2 10.42 looks for texts and first characters that a match must have before it starts its matcher,
/// which makes a search several times faster. It errs about some odd patterns (`(?=x(|b){1,3})b??x`,
/// `(?:|0b0)a*?(?:a)|b(){0}`): those are searched without it. Plain ones are held against Python's re in
/// numbers (tests/interop/python_re.py --plain).
bool is_plain(const Syntax& syntax);

}  // namespace keyshift::regex
