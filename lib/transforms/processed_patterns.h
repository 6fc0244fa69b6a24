// What the constructors of transformers make of a transform's patterns before anything is matched
// (TRANSFORMS.md, T5 … T7). Shared by the reader of transform files, which wants the place of a fault, and by
// CompiledTransform.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "transforms/transform.h"

namespace keyshift {

/// Why a transform cannot be constructed. Thrown inside this layer only; leaves it as an Error.
struct TransformFault {
  ErrorKind kind = ErrorKind::transform_invalid;
  std::string message;
  std::optional<std::size_t> source = std::nullopt;  // which source pattern is to blame, if one is …
  std::size_t offset = 0;                            // … and where in it, in bytes
  bool in_target = false;                            // of a KeyMapping: of that case's target
};

struct ProcessedPatterns {
  struct Branch {
    std::size_t source = 0;          // index into `sources`
    std::size_t begin = 0, end = 0;  // where its text lies in `alternation`, without the group around it
  };
  std::vector<std::string> sources;  // what `converter` names in results
  std::vector<std::string> targets;
  std::vector<Branch> branches;  // longest source first
  std::string alternation;       // one group per branch, named g0, g1 … after the index of its source
};

/// Throws TransformFault (transform_invalid).
ProcessedPatterns process_patterns(const Transform& transform);

/// Throws TransformFault (transform_invalid, pattern_invalid) if `transform` cannot be constructed as it
/// stands. Costs no compilation.
void check_transform(const Transform& transform);

/// The fault behind the refusal of `patterns.alternation`, with its place; nullopt if the text can be
/// translated.
std::optional<TransformFault> find_pattern_fault(const ProcessedPatterns& patterns);

}  // namespace keyshift
