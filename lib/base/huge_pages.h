// Large blocks of memory in pages of two MiB: the first touch of every small page costs more than filling it.
#pragma once

#include <cstddef>

namespace keyshift {

/// Asks for huge pages behind `size` bytes from `memory` on, which nobody has written yet. Nothing happens
/// where the block is small or the system has none.
void prefer_huge_pages(const void* memory, std::size_t size) noexcept;

}  // namespace keyshift
