// Transform files, schema weight-transforms/1 (TRANSFORMS.md, T1 …), and transforms given on the command
// line.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "transforms/transform.h"

namespace keyshift {

/// Parses a transform file. Unknown fields, unknown types and wrong arguments are refused. Errors:
/// transform_file_invalid, transform_unknown, transform_invalid, pattern_invalid; all with line, column and
/// caret.
TransformList parse_transforms(std::string_view text, const std::string& file_name);
/// Reads and parses; also io errors.
TransformList read_transforms(const std::filesystem::path& path);

/// The list as a transform file (used by receipts and by tools that write rules); parse_transforms reads it
/// back.
std::string write_transforms(const TransformList& list);

/// `SOURCE=>TARGET`, split at the last "=>": a WeightRenaming. Errors: usage.
Transform parse_rename_option(std::string_view text);
/// A PrefixChange for `--add-prefix` and `--remove-prefix`: `prefix` is literal text, a final dot is
/// optional. Errors: usage.
Transform add_prefix_option(std::string_view prefix);
Transform remove_prefix_option(std::string_view prefix);

}  // namespace keyshift
