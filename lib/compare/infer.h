// From two checkpoints with the same tensors under different names to the transforms that lead from the first
// to the second.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/interrupt.h"
#include "format/checkpoint.h"
#include "transforms/transform.h"

namespace keyshift {

struct InferRequest {
  std::filesystem::path a, b;
  OpenOptions open;  // of A; the variant is B's, too
  unsigned jobs = 1;
};

/// A tensor that the transforms do not account for.
struct Unexplained {
  enum class Why : std::uint8_t {
    missing,  // B has no tensor with these bytes, dtype and shape
    extra,    // A has none
    name,     // the transforms give it another name than it has in B
  };
  Why why = Why::missing;
  std::string a, b;     // its keys; empty where a side lacks it
  std::string becomes;  // name: what the transforms make of it
};

struct Inferred {
  TransformList transforms;                // all on load; empty if every name is the same
  std::uint64_t tensors = 0, renamed = 0;  // of A: with a counterpart; of these, under another name
  std::vector<Unexplained> unexplained;
  bool complete() const noexcept { return unexplained.empty(); }
};

/// Matches tensors by their bytes, looks for a short list of transforms, and applies the compiled list to the
/// whole table before it answers. `begin` and `advance` are told bytes as in diff(). Errors: those of
/// Checkpoint::open, io, interrupted.
Inferred infer_transforms(const InferRequest& request, const std::function<void(std::uint64_t)>& begin,
                          const std::function<void(std::uint64_t)>& advance, const Interrupt& interrupt);

}  // namespace keyshift
