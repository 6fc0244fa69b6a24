#include "tools/commands/name_hashes.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <utility>

#include "base/huge_pages.h"
#include "base/parallel.h"

namespace keyshift::tools {

NameHashes::NameHashes(std::size_t expected)
    : room_((expected + expected / 4) / kParts + 64),
      hashes_(std::make_unique_for_overwrite<std::uint64_t[]>(room_ * kParts)) {
  prefer_huge_pages(hashes_.get(), room_ * kParts * sizeof(hashes_[0]));
  for (std::size_t part = 0; part < kParts; ++part) {
    std::uint64_t* const begin = hashes_.get() + part * room_;
    parts_[part] = {begin, begin, begin + room_, {}};
  }
}

bool NameHashes::may_repeat() const {
  constexpr std::size_t kWorthThreads = std::size_t{1} << 16U;  // names
  const unsigned jobs = room_ * kParts < kWorthThreads ? 1 : available_processors();
  std::atomic<bool> found{false};
  for_each_parallel(kParts, jobs, [&](std::size_t part) {
    if (repeats(parts_[part])) found = true;
  });
  return found;
}

// A table of 32 bits of each hash. The part's number and the place tell some twenty more of them.
bool NameHashes::repeats(const Part& part) {
  const std::size_t count = static_cast<std::size_t>(part.next - part.begin) + part.more.size();
  std::vector<std::uint32_t> slots(std::bit_ceil(4 * count + 1));  // 0 is a free one
  const auto insert = [&](std::uint64_t hash) {
    const std::uint32_t value = static_cast<std::uint32_t>(hash >> (32U - kPartBits)) | 1U;
    std::size_t at = hash & (slots.size() - 1);
    while (slots[at] != 0 && slots[at] != value) at = (at + 1) & (slots.size() - 1);
    return std::exchange(slots[at], value) == 0;
  };
  return !std::all_of(part.begin, part.next, insert) ||
         !std::all_of(part.more.begin(), part.more.end(), insert);
}

}  // namespace keyshift::tools
