// Whether a key may have been there before, for readers that can leave the answer to another one.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace keyshift {

/// Two keys with one hash (of 63 bits) are taken for the same.
class SeenHashes {
 public:
  explicit SeenHashes(std::size_t expected) : slots_(std::bit_ceil(2 * expected + 16)) {}

  /// Brings the place into the cache that will be looked at a little later.
  void prefetch(std::uint64_t hash) const noexcept {
    __builtin_prefetch(&slots_[(hash >> 1U) & (slots_.size() - 1)], 1);
  }
  /// False if it was there.
  bool insert(std::uint64_t hash) {
    if (2 * (count_ + 1) > slots_.size()) grow();
    const std::uint64_t value = hash | 1U;  // 0 is a free slot
    std::uint64_t& slot = place(value);
    if (slot != 0) return false;
    slot = value;
    ++count_;
    return true;
  }

 private:
  std::uint64_t& place(std::uint64_t value) noexcept {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = (value >> 1U) & mask;
    while (slots_[at] != 0 && slots_[at] != value) at = (at + 1) & mask;
    return slots_[at];
  }
  void grow() {
    std::vector<std::uint64_t> smaller(2 * slots_.size());
    smaller.swap(slots_);
    for (const std::uint64_t value : smaller)
      if (value != 0) place(value) = value;
  }

  std::vector<std::uint64_t> slots_;  // a power of two, at most half full
  std::size_t count_ = 0;
};

/// Whether one of `hashes` comes twice.
inline bool some_repeat(std::span<const std::uint64_t> hashes) {
  constexpr std::size_t kAhead = 16;  // hashes: how long memory takes to answer
  SeenHashes seen(hashes.size());
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    if (i + kAhead < hashes.size()) seen.prefetch(hashes[i + kAhead]);
    if (!seen.insert(hashes[i])) return true;
  }
  return false;
}

}  // namespace keyshift
