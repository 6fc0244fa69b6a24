// The results of a RenameRun: new keys in one block of memory, and which transforms made them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "transforms/renaming.h"

namespace keyshift {

/// Every distinct outcome of a run, once. Addresses are stable.
class OutcomePool {
 public:
  /// The number of an outcome equal to `outcome`; the same for equal ones.
  std::uint32_t intern(RenameOutcome outcome);
  std::size_t size() const noexcept { return outcomes_.size(); }
  const RenameOutcome& operator[](std::size_t id) const noexcept { return outcomes_[id]; }

 private:
  std::deque<RenameOutcome> outcomes_;
  std::unordered_multimap<std::size_t, std::uint32_t> by_hash_;
};

/// Owns its keys; views live until clear() or the next rename() into it.
class RenamedKeys {
 public:
  std::size_t size() const noexcept { return size_; }
  std::string_view operator[](std::size_t i) const noexcept {
    const std::uint64_t begin = i == 0 ? 0 : ends_.get()[i - 1];
    return {text_.get() + begin, static_cast<std::size_t>(ends_.get()[i] - begin)};
  }
  /// Which transforms matched key i; equal outcomes of one run are one object.
  const RenameOutcome& outcome(std::size_t i) const noexcept { return *table_[outcomes_.get()[i]]; }
  /// All new keys, one after another without anything between.
  std::string_view text() const noexcept { return {text_.get(), static_cast<std::size_t>(used_)}; }
  /// Forgets the keys and keeps the memory.
  void clear() noexcept;

  // What follows is for RenameRun.

  /// Bytes behind the last key that may be overwritten at any time, so that keys can be written in whole
  /// vectors.
  static constexpr std::size_t kSlack = 256;

  /// Room for `count` more keys. Errors: std::bad_alloc.
  void reserve_keys(std::size_t count);
  /// Room for `bytes` more of text, and kSlack behind it.
  void reserve_text(std::uint64_t bytes) {
    if (capacity_ - used_ < bytes + kSlack) grow_text(bytes);
  }
  /// From now on outcomes are given by their numbers in `pool`.
  void begin_pool(std::shared_ptr<const OutcomePool> pool);
  /// Takes in what the pool learned since; outcome() may be asked from here on.
  void end_pool();
  /// Appends a key for which there is room.
  void append(std::string_view key, std::uint32_t outcome) noexcept;
  /// The number, in the last pool, of the outcome of key i, which was renamed with it.
  std::uint32_t outcome_number(std::size_t i) const noexcept {
    return outcomes_.get()[i] - static_cast<std::uint32_t>(pool_base_);
  }

  /// The raw ends of text and arrays, for a loop that writes many keys; give_back() what was written.
  struct Raw {
    char* text = nullptr;           // where the next key goes
    char* text_limit = nullptr;     // a key must end here or before; kSlack bytes follow
    std::uint64_t* ends = nullptr;  // of the next key
    std::uint32_t* outcomes = nullptr;
    std::uint64_t used = 0;          // bytes of text before `text`
    std::uint32_t outcome_base = 0;  // to be added to the number of an outcome
  };
  Raw raw() noexcept;
  void give_back(const Raw& raw) noexcept;

 private:
  struct Free {
    void operator()(void* memory) const noexcept;
  };
  template <class T>
  using Memory = std::unique_ptr<T[], Free>;
  void grow_text(std::uint64_t bytes);

  Memory<char> text_;
  std::uint64_t capacity_ = 0, used_ = 0;
  Memory<std::uint64_t> ends_;
  Memory<std::uint32_t> outcomes_;  // numbers in table_
  std::size_t size_ = 0, key_capacity_ = 0;
  std::vector<const RenameOutcome*> table_;
  std::vector<std::shared_ptr<const OutcomePool>> pools_;  // the last one is being filled
  std::size_t pool_base_ = 0;                              // where its outcomes begin in table_
};

}  // namespace keyshift
