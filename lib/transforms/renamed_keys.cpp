#include "transforms/renamed_keys.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <new>
#include <utility>

#include "base/huge_pages.h"

namespace keyshift {
namespace {

std::size_t hash_of(const RenameOutcome& outcome) {
  std::size_t hash = outcome.converter ? std::hash<std::string>{}(*outcome.converter) : 0;
  const auto mix = [&](std::size_t value) { hash = (hash ^ value) * 0x9E3779B97F4A7C15U + (hash >> 29U); };
  for (const std::uint32_t transform : outcome.transforms) mix(transform + 1U);
  mix((outcome.stripped_wrappers ? 1U : 0U) | (outcome.base_prefix_changed ? 2U : 0U) |
      (outcome.second_try ? 4U : 0U) | (outcome.dropped ? 8U : 0U));
  return hash;
}

/// `memory` grown to `count` elements; what was there stays. Large blocks move without being copied.
template <class T, class Holder>
void resize(Holder& memory, std::uint64_t count) {
  if (count > std::numeric_limits<std::size_t>::max() / sizeof(T)) throw std::bad_alloc();
  void* grown = std::realloc(memory.get(), static_cast<std::size_t>(count) * sizeof(T));
  if (grown == nullptr) throw std::bad_alloc();
  prefer_huge_pages(grown, static_cast<std::size_t>(count) * sizeof(T));
  static_cast<void>(memory.release());
  memory.reset(static_cast<T*>(grown));
}

}  // namespace

std::uint32_t OutcomePool::intern(RenameOutcome outcome) {
  const std::size_t hash = hash_of(outcome);
  const auto [first, last] = by_hash_.equal_range(hash);
  for (auto it = first; it != last; ++it) {
    if (outcomes_[it->second] == outcome) return it->second;
  }
  const auto id = static_cast<std::uint32_t>(outcomes_.size());
  outcomes_.push_back(std::move(outcome));
  by_hash_.emplace(hash, id);
  return id;
}

void RenamedKeys::Free::operator()(void* memory) const noexcept { std::free(memory); }

void RenamedKeys::clear() noexcept {
  used_ = 0;
  size_ = 0;
  table_.clear();
  pools_.clear();
  pool_base_ = 0;
}

void RenamedKeys::reserve_keys(std::size_t count) {
  if (key_capacity_ - size_ >= count) return;
  // Exactly what is asked at first: most callers bring a whole table at once. Then by half as much again.
  const std::size_t capacity = std::max(size_ + count, key_capacity_ + key_capacity_ / 2);
  resize<std::uint64_t>(ends_, capacity);
  resize<std::uint32_t>(outcomes_, capacity);
  key_capacity_ = capacity;
}

void RenamedKeys::grow_text(std::uint64_t bytes) {
  const std::uint64_t capacity = std::max(used_ + bytes + kSlack, capacity_ + capacity_ / 2);
  resize<char>(text_, capacity);
  capacity_ = capacity;
}

void RenamedKeys::begin_pool(std::shared_ptr<const OutcomePool> pool) {
  if (!pools_.empty() && pools_.back() == pool) return;
  pool_base_ = table_.size();
  pools_.push_back(std::move(pool));
}

void RenamedKeys::end_pool() {
  const OutcomePool& pool = *pools_.back();
  for (std::size_t id = table_.size() - pool_base_; id < pool.size(); ++id) table_.push_back(&pool[id]);
}

void RenamedKeys::append(std::string_view key, std::uint32_t outcome) noexcept {
  if (!key.empty()) std::memcpy(text_.get() + used_, key.data(), key.size());
  used_ += key.size();
  ends_.get()[size_] = used_;
  outcomes_.get()[size_] = static_cast<std::uint32_t>(pool_base_) + outcome;
  ++size_;
}

RenamedKeys::Raw RenamedKeys::raw() noexcept {
  return {text_.get() + used_,
          text_.get() + (capacity_ - kSlack),
          ends_.get() + size_,
          outcomes_.get() + size_,
          used_,
          static_cast<std::uint32_t>(pool_base_)};
}

void RenamedKeys::give_back(const Raw& raw) noexcept {
  used_ = raw.used;
  size_ = static_cast<std::size_t>(raw.ends - ends_.get());
}

}  // namespace keyshift
