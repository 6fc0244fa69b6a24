#include "format/shard_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace keyshift {

namespace {

const std::byte* window(const Shard& shard, const TensorInfo& tensor, std::uint64_t offset,
                        std::uint64_t length) {
  shard.file().populate(shard.header().data_start() + tensor.begin + offset, length);
  return shard.bytes(tensor).data() + offset;
}

void release(const Shard& shard, const TensorInfo& tensor, std::uint64_t offset, std::uint64_t length) {
  shard.file().release(shard.header().data_start() + tensor.begin + offset, length);
}

}  // namespace

std::vector<std::string> oddities(const Shard& shard) {
  const HeaderOddities& odd = shard.header().oddities();
  std::vector<std::string> out;
  if (!odd.repeated_keys.empty()) {
    out.push_back(fmt::format("the header names {} keys more than once, {} among them; the last entry counts",
                              odd.repeated_keys.size(), quote(odd.repeated_keys.front())));
  }
  if (odd.leading_blanks) out.emplace_back("the header begins with white space, which some readers refuse");
  if (odd.entries_as_arrays) {
    out.emplace_back("the header describes tensors by arrays, which most readers refuse");
  }
  if (odd.empty_metadata) out.emplace_back("__metadata__ is empty, which some readers refuse");
  return out;
}

bool same_tensor(const Shard& a, const TensorInfo& in_a, const Shard& b, const TensorInfo& in_b) {
  if (in_a.dtype != in_b.dtype || in_a.size() != in_b.size() ||
      !std::equal(in_a.shape.begin(), in_a.shape.end(), in_b.shape.begin(), in_b.shape.end())) {
    return false;
  }
  constexpr std::uint64_t kWindow = 1U << 20U;
  for (std::uint64_t done = 0; done < in_a.size(); done += kWindow) {
    const std::uint64_t length = std::min(kWindow, in_a.size() - done);
    const bool same = std::memcmp(window(a, in_a, done, length), window(b, in_b, done, length), length) == 0;
    release(a, in_a, done, length);
    release(b, in_b, done, length);
    if (!same) return false;
  }
  return true;
}

}  // namespace keyshift
