#include "format/index_match.h"

#include <algorithm>
#include <atomic>
#include <string_view>

#include "base/parallel.h"

namespace keyshift {

namespace {

class Matcher {
 public:
  Matcher(const Index& index, std::vector<std::uint32_t>& order) : index_(index), order_(order) {}

  // The tensors of `shard` have the numbers from `first` on. False: one of them is not as it is listed.
  bool take(const Shard& shard, std::uint32_t first) {
    const Header& header = shard.header();
    const std::span<const std::uint64_t> hashes = header.key_hashes();
    std::string_view last_name;  // the same one again and again
    for (std::size_t i = 0; i < hashes.size(); ++i) {
      if (i + KeyIndex::kAhead < hashes.size()) index_.keys.prefetch(hashes[i + KeyIndex::kAhead]);
      const std::uint32_t entry = index_.keys.find(header.tensors()[i].key, hashes[i]);
      if (entry == KeyIndex::kNone) return false;
      const std::string_view name = index_.weight_map[entry].second;
      if (name.data() != last_name.data() && name != shard.name()) return false;
      last_name = name;
      // A key of two shards may be taken by two threads at once.
      std::atomic_ref(order_[entry]).store(first + static_cast<std::uint32_t>(i), std::memory_order_relaxed);
    }
    return true;
  }

 private:
  const Index& index_;
  std::vector<std::uint32_t>& order_;
};

std::vector<std::uint32_t> first_numbers(const std::vector<Shard>& shards) {
  std::vector<std::uint32_t> first{0};
  for (const Shard& shard : shards)
    first.push_back(first.back() + static_cast<std::uint32_t>(shard.header().tensors().size()));
  return first;
}

}  // namespace

std::vector<std::uint32_t> match_index(const Index& index, const std::vector<Shard>& shards, unsigned jobs) {
  const std::vector<std::uint32_t> first = first_numbers(shards);
  if (first.back() != index.weight_map.size()) return {};
  std::vector<std::uint32_t> order(first.back(), KeyIndex::kNone);
  Matcher matcher(index, order);
  std::atomic<bool> same{true};
  for_each_parallel(shards.size(), jobs, [&](std::size_t i) {
    if (same && !matcher.take(shards[i], first[i])) same = false;
  });
  // As many tensors as places: where one place was taken twice, another is free.
  if (!same || std::ranges::find(order, KeyIndex::kNone) != order.end()) return {};
  return order;
}

}  // namespace keyshift
