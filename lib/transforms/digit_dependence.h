// Whether a search in a key depends on the values of digits that are left open (TRANSFORMS.md, T40).
//
// The pattern is run over the key in the abstract: from every place where the search could start it follows
// every branch at once and keeps the set of places that a matcher could have reached. That set can only be
// too large. A test (this literal, this set of characters) that is reached at an open digit and does not hold
// for all ten digits or for none of them makes the search depend on that digit. If there is no such test, a
// backtracking matcher takes the same steps on every key that differs from this one in open digits only, so
// it finds the same spans.
#pragma once

#include <string_view>

#include "transforms/position_set.h"
#include "transforms/python_regex.h"

namespace keyshift {

struct DigitDependence {
  bool can_match = false;  // false: no key of this form matches, whatever its open digits are
  PositionSet depends;     // a part of the open positions
};

/// `subject` is valid UTF-8 of at most kLongestShape bytes; `open` are positions of ASCII digits in it. Cost:
/// bounded; a pattern that is too large to follow is said to depend on all of `open`.
DigitDependence digit_dependence(const regex::Syntax& syntax, std::string_view subject,
                                 const PositionSet& open);

/// True if no test of the pattern tells one ASCII digit from another: then a search depends on none.
bool treats_digits_alike(const regex::Syntax& syntax);

}  // namespace keyshift
