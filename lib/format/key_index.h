// Which keys have been seen, and where: the table behind every check for repeated keys.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace keyshift {

/// Seeded anew in every process, so that no file can be made that fills one bucket; nothing that can be seen
/// depends on it.
std::uint64_t hash_of_key(std::string_view key) noexcept;

/// Numbers keys in the order of their first coming. The views must outlive it.
class KeyIndex {
 public:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;
  /// Keys between prefetch() and the look: how long memory takes to answer.
  static constexpr std::size_t kAhead = 16;

  /// `expected`: keys to make room for.
  explicit KeyIndex(std::size_t expected = 0);

  /// The number of `key`, which is size() - 1 if it is new. `hash`, here and below: hash_of_key(key).
  std::uint32_t insert(std::string_view key) { return insert(key, hash_of_key(key)); }
  std::uint32_t insert(std::string_view key, std::uint64_t hash);
  /// kNone if it was never inserted.
  std::uint32_t find(std::string_view key) const noexcept { return find(key, hash_of_key(key)); }
  std::uint32_t find(std::string_view key, std::uint64_t hash) const noexcept {
    return slots_[place(key, hash)].number;
  }
  /// Brings the place of a key into the cache that will be looked at a little later.
  void prefetch(std::uint64_t hash) const noexcept {
    __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]);
  }
  std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(keys_.size()); }
  std::string_view key(std::uint32_t number) const noexcept { return keys_[number]; }

 private:
  struct Slot {
    std::uint32_t number = kNone;
    std::uint32_t tag = 0;  // upper bits of the hash
  };
  // The slot of `key`, or the free one where it belongs.
  std::size_t place(std::string_view key, std::uint64_t hash) const noexcept;
  void grow();

  std::vector<std::string_view> keys_;
  std::vector<Slot> slots_;  // a power of two, at most half full
};

}  // namespace keyshift
