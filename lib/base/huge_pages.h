// Large blocks of memory in pages of two MiB: the first touch of every small page costs more than filling it.
#pragma once

#include <cstddef>

namespace keyshift {

/// Asks for huge pages behind `size` bytes from `memory` on, which nobody has written yet. Nothing happens
/// where the block is small or the system has none.
void prefer_huge_pages(const void* memory, std::size_t size) noexcept;

/// Lets this process's heap, for all of its threads, lie in huge pages and keep what is freed. To be called
/// at the start of a program that is going to fill a lot of memory once. Where the system has no huge pages
/// or the process may not have much memory, the heap stays what it is.
void prefer_huge_heap() noexcept;

}  // namespace keyshift
