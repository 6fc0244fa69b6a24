#include "format/key_index.h"

#include <bit>
#include <random>

#include "base/digest.h"

namespace keyshift {

namespace {

std::uint32_t tag_of(std::uint64_t hash) noexcept { return static_cast<std::uint32_t>(hash >> 32U); }

}  // namespace

std::uint64_t hash_of_key(std::string_view key) noexcept {
  static const std::uint64_t seed = [] {
    std::random_device random;
    return (std::uint64_t{random()} << 32U) | random();
  }();
  return hash_of(key, seed);
}

KeyIndex::KeyIndex(std::size_t expected) : slots_(std::bit_ceil(2 * expected + 16)) {
  keys_.reserve(expected);
}

std::size_t KeyIndex::place(std::string_view key, std::uint64_t hash) const noexcept {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
    const Slot& slot = slots_[at];
    if (slot.number == kNone || (slot.tag == tag_of(hash) && keys_[slot.number] == key)) return at;
  }
}

void KeyIndex::grow() {
  std::vector<Slot> larger(slots_.size() * 2);
  slots_.swap(larger);
  for (std::uint32_t number = 0; number < size(); ++number) {
    const std::uint64_t hashed = hash_of_key(keys_[number]);
    slots_[place(keys_[number], hashed)] = {number, tag_of(hashed)};
  }
}

std::uint32_t KeyIndex::insert(std::string_view key, std::uint64_t hash) {
  if (2 * (keys_.size() + 1) > slots_.size()) grow();
  Slot& slot = slots_[place(key, hash)];
  if (slot.number == kNone) {
    slot = {size(), tag_of(hash)};
    keys_.push_back(key);
  }
  return slot.number;
}

}  // namespace keyshift
