// The main job: a checkpoint goes in, a renamed one comes out. rewrite.cpp reads as the list of its passes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/interrupt.h"
#include "base/output_stream.h"
#include "engine/copy_ways.h"
#include "engine/progress.h"
#include "plan/prepare_plan.h"

namespace keyshift {

/// Where the receipt goes: beside the output, to a place of its own, or nowhere.
struct ReceiptWish {
  bool wanted = true;
  std::optional<std::filesystem::path> place;
};

struct RewriteRequest {
  PlanRequest plan;  // plan.options.single_file_name is set by rewrite() from the destination
  std::filesystem::path destination;
  CopyOptions copy;
  unsigned jobs = 1;    // shards at a time
  bool force = false;   // replace a checkpoint that is at the destination
  bool resume = false;  // go on where a run that was killed left off, if it was the same one
  ReceiptWish receipt;
};

struct RewriteResult {
  struct File {
    std::string name;  // relative to the destination's folder
    Written written;
    bool digested = true;  // whether its digest is known: all of its bytes were read
  };
  std::vector<File> shards, others;  // others: side files and index
  std::string receipt_name;  // beside the output; a path, where it went elsewhere; empty: there is none
  Digest receipt_digest;
  std::uint64_t tensors = 0, changed = 0, dropped = 0, data_bytes = 0;
  std::uint64_t resumed = 0;                         // shards that an earlier run had finished
  std::uint64_t shared_bytes = 0, kernel_bytes = 0;  // of data_bytes: blocks shared; copied in the kernel
  std::vector<bool> used;                            // one flag per transform, in file order
  std::vector<std::string> warnings;
  std::vector<RewrittenFile> rewritten;  // side files that were looked into
};

/// Converts. On any error nothing has appeared at the destination and the source is untouched. Errors: those
/// of prepare_plan; usage (the destination cannot be), io, source_changed, interrupted.
RewriteResult rewrite(const RewriteRequest& request, Progress& progress, const Interrupt& interrupt);

/// What rewrite() would do, without doing it: nothing is written anywhere. Errors: those of prepare_plan.
PreparedPlan plan_rewrite(const RewriteRequest& request);
/// And which way each byte would go; blocks that could be shared are tried with a file without a name.
/// Errors: usage (a way that was asked for cannot be gone).
CopyWays plan_ways(const RewriteRequest& request, const Plan& plan);

}  // namespace keyshift
