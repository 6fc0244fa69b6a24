// Tensors read through pread, a window at a time: digests, and differences counted.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "base/digest.h"
#include "compare/content.h"

namespace keyshift {

/// The digest of a tensor's bytes. Errors: io, interrupted.
Digest digest_tensor(const TensorPlace& place, const std::function<void(std::uint64_t)>& advance,
                     const Interrupt& interrupt);

/// Two tensors of one size, read once each.
struct Comparison {
  std::optional<ByteDifference> difference;  // nullopt: the same bytes
  Digest a, b;                               // where they differ
};
Comparison compare_tensors(const TensorPlace& a, const TensorPlace& b,
                           const std::function<void(std::uint64_t)>& advance, const Interrupt& interrupt);

}  // namespace keyshift
