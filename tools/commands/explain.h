// What `explain` shows of one key.
#pragma once

#include <string>

#include "tools/command.h"
#include "tools/style.h"
#include "transforms/explain.h"

namespace keyshift::tools {

/// For people: each step with the place that matched marked under the key.
std::string explain_text(const Explanation& explanation, const Renaming& renaming, const Style& style);
/// One line of JSON, keyshift-explain/1.
std::string explain_json(const Explanation& explanation, const Renaming& renaming);

/// The target pattern that a step of a transform put in, as transformers processed it.
const std::string& target_of(const CompiledTransform& transform, const Applied& applied);

}  // namespace keyshift::tools
