// An independent proof that one checkpoint is another under a list of transforms: rules one by one, a table
// of its own, bytes by pread. It shares no code with plan and engine, so that it can catch their faults.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/interrupt.h"
#include "format/checkpoint.h"
#include "transforms/renaming.h"
#include "transforms/subset.h"

namespace keyshift {

struct VerifyRequest {
  std::filesystem::path source, destination;
  OpenOptions open;  // of the source; the variant is the destination's, too
  TransformList transforms;
  RenamingOptions renaming;
  SubsetPatterns subset;        // what was to be kept, by old names
  bool rewrite_config = false;  // module names inside config.json were to follow
  unsigned jobs = 1;
};

/// One thing that is not as it should be.
struct Finding {
  std::string
      kind;  // "missing", "extra", "dtype", "shape", "bytes", "metadata", "index", "side_file", "collision"
  std::string file;  // of the destination, or of the source for what is missing
  std::string key;   // new key; empty where none is meant
  std::string message;
};

struct VerifyResult {
  std::uint64_t tensors = 0, bytes = 0;  // compared
  std::uint64_t side_files = 0;
  std::vector<Finding> findings;
  bool same() const noexcept { return findings.empty(); }
};

/// Compares names, dtypes, shapes, every byte, `__metadata__`, the index and side files, whatever the
/// sharding. `advance` is told the bytes compared (from several threads). Errors: those of Checkpoint::open
/// and of renaming, io, interrupted. Differences are findings, not errors.
VerifyResult verify(const VerifyRequest& request, const std::function<void(std::uint64_t)>& advance,
                    const Interrupt& interrupt);

}  // namespace keyshift
