// The list of a batch: one conversion a line (FORMAT.md, F60 …).
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace keyshift::tools {

struct BatchLine {
  std::size_t number = 0;  // counted from 1, comments and empty lines included
  std::filesystem::path source, destination;
  std::vector<std::string> transforms;  // transform files of this line alone
};

/// What stands in a line: SRC and DST, or with --in-place PATH alone, which is both.
enum class BatchKind { copies, in_place };

/// Lines that are empty or begin with # say nothing. `name`: of the list, for messages. Errors:
/// batch_invalid with line, column and excerpt.
std::vector<BatchLine> parse_batch(std::string_view text, const std::string& name, BatchKind kind);

/// Refuses a list whose lines would get into each other's way, before anything is begun: no destination may
/// be another line's destination or source, lie in one, or hold one. `name`, `text`: as for parse_batch.
/// In place, no path may be, lie in or hold another line's. Errors: batch_invalid naming both lines.
void refuse_conflicts(const std::vector<BatchLine>& lines, std::string_view text, const std::string& name,
                      BatchKind kind);

}  // namespace keyshift::tools
