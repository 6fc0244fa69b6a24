#include "base/huge_pages.h"

#include <sys/mman.h>

#include <cstdint>

namespace keyshift {

void prefer_huge_pages(const void* memory, std::size_t size) noexcept {
  constexpr std::uintptr_t kHugePage = std::uintptr_t{1} << 21U;  // bytes
  const auto first = reinterpret_cast<std::uintptr_t>(memory);
  const std::uintptr_t begin = (first + kHugePage - 1) / kHugePage * kHugePage;
  const std::uintptr_t end = (first + size) / kHugePage * kHugePage;
  // A refusal leaves small pages, which do as well.
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}

}  // namespace keyshift
