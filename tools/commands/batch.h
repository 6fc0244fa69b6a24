// What a batch tells: a line for each checkpoint, and a summary.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "plan/plan.h"
#include "tools/commands/batch_list.h"

namespace keyshift::tools {

struct BatchResult {
  enum class Status : std::uint8_t {
    converted,
    already,  // it was there: its receipt and all digests say so
    planned,  // with --dry-run
    failed,
    interrupted,  // by ^C, or never begun
  };
  Status status = Status::interrupted;
  std::uint64_t tensors = 0, changed = 0, bytes = 0;  // converted, planned
  std::string receipt_digest;                         // converted
  double seconds = 0;
  std::vector<std::string> warnings;
  std::vector<RewrittenFile> rewritten;     // with --rewrite-config
  ErrorKind error_kind = ErrorKind::usage;  // failed
  std::string error;
};

struct BatchSummary {
  std::uint64_t checkpoints = 0, bytes = 0;
  double seconds = 0;
  std::uint64_t count[5] = {};  // by status

  std::uint64_t of(BatchResult::Status status) const { return count[static_cast<std::size_t>(status)]; }
  void add(const BatchResult& result);
};

/// One line each. Failures are told elsewhere in text, so it is empty for them.
std::string batch_text(const BatchLine& line, const BatchResult& result);
std::string batch_json(const BatchLine& line, const BatchResult& result);
std::string summary_text(const BatchSummary& summary);
std::string summary_json(const BatchSummary& summary);

}  // namespace keyshift::tools
