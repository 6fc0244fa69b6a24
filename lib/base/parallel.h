// Work that falls into independent parts, done by a few threads.
#pragma once

#include <cstddef>

#include "base/function_ref.h"

namespace keyshift {

/// Calls work(i) for every i below `count`, on at most `jobs` threads (the caller's included), smaller i
/// first. After the first exception no further part is begun; it is rethrown when all threads have stopped.
void for_each_parallel(std::size_t count, unsigned jobs, function_ref<void(std::size_t)> work);

/// Processors that this process may use (its CPU set), at least 1.
unsigned available_processors() noexcept;

}  // namespace keyshift
