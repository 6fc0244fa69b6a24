#include "base/huge_pages.h"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace keyshift {

void prefer_huge_pages(const void* memory, std::size_t size) noexcept {
  constexpr std::uintptr_t kHugePage = std::uintptr_t{1} << 21U;  // bytes
  const auto first = reinterpret_cast<std::uintptr_t>(memory);
  const std::uintptr_t begin = (first + kHugePage - 1) / kHugePage * kHugePage;
  const std::uintptr_t end = (first + size) / kHugePage * kHugePage;
  // A refusal leaves small pages, which do as well.
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}

void prefer_huge_heap() noexcept {
#ifdef __GLIBC__
  constexpr int kReserved = 256 << 20;  // bytes of addresses; memory is what is written to
  constexpr int kLargest = 32 << 20;    // bytes: the most that malloc takes from the heap
  ::mallopt(M_ARENA_MAX, 1);
  ::mallopt(M_MMAP_THRESHOLD, kLargest);
  ::mallopt(M_TRIM_THRESHOLD, kReserved);
  const auto* const before = static_cast<const char*>(::sbrk(0));
  // What is asked for next moves the heap's end by so much more.
  ::mallopt(M_TOP_PAD, kReserved);
  void* volatile grown = std::malloc(kLargest / 2);
  std::free(grown);
  ::mallopt(M_TOP_PAD, 1 << 20);
  const auto* const after = static_cast<const char*>(::sbrk(0));
  if (after > before) prefer_huge_pages(before, static_cast<std::size_t>(after - before));
#endif
}

}  // namespace keyshift
