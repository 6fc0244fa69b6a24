// What can be told of opened shards: oddities of one, and whether two hold the same tensor.
#pragma once

#include <string>
#include <vector>

#include "format/shard.h"

namespace keyshift {

/// Everything odd and yet accepted about the header, as sentences without the file's name.
std::vector<std::string> oddities(const Shard& shard);

/// Same dtype, shape and bytes. Reads both tensors, a window at a time. Errors: io.
bool same_tensor(const Shard& a, const TensorInfo& in_a, const Shard& b, const TensorInfo& in_b);

}  // namespace keyshift
