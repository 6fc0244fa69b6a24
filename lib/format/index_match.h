// Index against headers where both say the same, which is nearly always: quick, and without a word.
#pragma once

#include <cstdint>
#include <vector>

#include "format/index.h"
#include "format/shard.h"

namespace keyshift {

/// The tensors of `shards` in the order in which `index` lists them, each by its number when those of all
/// headers are counted through. Empty unless both name the same tensors, each once and in the same shard.
/// `jobs`: threads.
std::vector<std::uint32_t> match_index(const Index& index, const std::vector<Shard>& shards, unsigned jobs);

}  // namespace keyshift
