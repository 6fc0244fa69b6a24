// Several tensors with the same bytes on both sides: which is which?
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace keyshift {

/// What tells identical tensors apart; borrows.
struct IdenticalTensor {
  std::string_view key, shard;
};

/// Pairs as many as there are on the smaller side: (index into `a`, index into `b`), each index once. First
/// those whose names share the most parts at their ends, then those in shards of one name, then in order.
/// Both lists are in the order of their checkpoints.
std::vector<std::pair<std::size_t, std::size_t>> pair_identical(const std::vector<IdenticalTensor>& a,
                                                                const std::vector<IdenticalTensor>& b);

}  // namespace keyshift
