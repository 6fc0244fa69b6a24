// Mappings of other tools, by the name that the file gives them (TRANSFORMS.md, T43 … T46).
#pragma once

#include <string>
#include <string_view>

#include "transforms/located_json.h"
#include "transforms/transform.h"

namespace keyshift {

/// `file`: an object with a "dialect", whose text is `text`. Errors: transform_unknown, transform_invalid,
/// pattern_invalid; all with line, column and caret.
TransformList read_dialect(const LocatedValue& file, std::string_view text, const std::string& file_name);

}  // namespace keyshift
