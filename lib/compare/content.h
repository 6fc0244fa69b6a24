// Tensors of two checkpoints matched by what they hold: names first, then digests, then bytes. What diff and
// infer stand on.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/interrupt.h"
#include "format/checkpoint.h"

namespace keyshift {

/// A tensor of an open checkpoint; borrows.
struct TensorPlace {
  const Shard* shard = nullptr;
  const TensorInfo* tensor = nullptr;
  explicit operator bool() const noexcept { return tensor != nullptr; }
};

/// How two tensors of one size differ, in bytes of the tensor.
struct ByteDifference {
  std::uint64_t count = 0;  // bytes that differ
  std::uint64_t first = 0;  // offset of the first
};

/// One tensor of either side with its counterpart.
struct ContentMatch {
  enum class Kind : std::uint8_t {
    same,     // the same bytes under the name that was expected
    renamed,  // the same bytes under another name
    changed,  // the same name, other bytes, dtype or shape
    missing,  // of A only
    extra,    // of B only
  };
  Kind kind = Kind::same;
  TensorPlace a, b;
  std::optional<ByteDifference> bytes;  // changed, where dtype and shape are the same
  /// renamed: 0, or, where several tensors of a side hold these bytes so that names and order decided, the
  /// number of their group.
  std::uint32_t group = 0;
};

struct ContentRequest {
  const Checkpoint& a;
  const Checkpoint& b;
  const std::vector<std::string>& expected;  // the name in B of each tensor of A, in the order of places_of()
  unsigned jobs = 1;
};

/// Every tensor: by shard, then in the order of its header's text.
std::vector<TensorPlace> places_of(const Checkpoint& checkpoint);

/// Matches in the order of A's tensors, then what only B has in its order. Tensors are the same only if
/// dtype and shape are, too. Where several hold the same bytes, those pair whose names end alike, then those
/// in shards of one name, then the first with the first. Reads both through windows of a MiB. `advance` is
/// told bytes of both sides, from several threads; all of them in the end. Errors: io, interrupted.
std::vector<ContentMatch> match_contents(const ContentRequest& request,
                                         const std::function<void(std::uint64_t)>& advance,
                                         const Interrupt& interrupt);

}  // namespace keyshift
