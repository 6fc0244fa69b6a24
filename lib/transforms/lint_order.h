// Which transforms of a run would give another key the other way round (TRANSFORMS.md, T68).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/interrupt.h"
#include "transforms/renaming.h"

namespace keyshift {

struct OrderPair {
  std::uint32_t first = 0, second = 0;  // numbers in the file, in running order
  std::string key, in_order, reversed;  // of the first key that shows it
  std::uint64_t count = 0;              // keys that do
};

/// Every pair of renamings, and every pair of converters, whose order decides for one of `keys`. Of keys that
/// differ in numbers only, two are looked at. Errors: pattern_limit, interrupted.
std::vector<OrderPair> find_order_pairs(const Renaming& renaming, std::span<const std::string_view> keys,
                                        const Interrupt& interrupt);

}  // namespace keyshift
