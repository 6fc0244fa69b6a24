// What Python accepts and PCRE2 would understand otherwise (TRANSFORMS.md, T34).
#pragma once

#include "transforms/python_regex.h"

namespace keyshift::regex {

/// Throws a SyntaxError for the first part of the pattern that PCRE2 has no words for.
void refuse_unsupported(const Syntax& syntax);

/// Whether there is a capturing group in `node`, itself included.
bool captures(const Node& node);

}  // namespace keyshift::regex
