// What `diff` tells.
#pragma once

#include <string>

#include "compare/diff.h"
#include "tools/style.h"

namespace keyshift::tools {

/// For people: counts, then what differs, alike rows folded into one.
std::string diff_text(const Diff& diff, const std::string& a, const std::string& b, const Style& style);
/// One line of JSON, keyshift-diff/1.
std::string diff_json(const Diff& diff);

}  // namespace keyshift::tools
