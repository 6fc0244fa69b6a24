// A stream of bytes, which are a shard's tensors one after another, cut into a digest for each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/digest.h"
#include "plan/plan.h"

namespace keyshift {

class TensorDigests {
 public:
  /// Borrows `tensors`, in the order in which their bytes come.
  explicit TensorDigests(std::span<const PlannedTensor> tensors);

  void update(std::span<const std::byte> bytes);
  /// Bytes that nobody reads: their tensors, which must begin and end with them, have no digest.
  void skip(std::uint64_t bytes);
  /// One for each tensor, once all bytes have come.
  std::vector<std::optional<Digest>> take() { return std::move(digests_); }

 private:
  void finish_complete();

  std::span<const PlannedTensor> tensors_;
  std::vector<std::optional<Digest>> digests_;
  Hasher hasher_;
  std::uint64_t seen_ = 0;  // bytes of the tensor that is not complete yet
};

}  // namespace keyshift
