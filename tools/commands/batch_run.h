// Many conversions at once, within one budget of threads.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace keyshift::tools {

/// Calls work(i, threads) for every i below `count`, several at once; the `threads` of all that run at a time
/// are at most `jobs` together. One that is begun while others wait gets one thread; the last ones share what
/// is left, each at most what wanted(i) says. `work` must not throw.
void run_within_budget(std::size_t count, unsigned jobs, const std::function<unsigned(std::size_t)>& wanted,
                       const std::function<void(std::size_t, unsigned)>& work);

}  // namespace keyshift::tools
