#include "base/huge_pages.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <new>
#include <vector>

TEST_CASE("asking for huge pages changes nothing of what a block holds, whatever its place and size") {
  std::vector<std::uint8_t> block(9U << 20U);
  for (std::size_t i = 0; i < block.size(); ++i) block[i] = static_cast<std::uint8_t>(i % 251);
  for (const std::size_t begin : {0U, 1U, 4096U, 3U << 20U}) {
    for (const std::size_t size : {0U, 1U, 2U << 20U, 5U << 20U})
      keyshift::prefer_huge_pages(&block[begin], size);
  }
  keyshift::prefer_huge_pages(nullptr, 0);
  bool same = true;
  for (std::size_t i = 0; i < block.size(); ++i) same = same && block[i] == i % 251;
  CHECK(same);
}

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kHeapIsTheSanitizers = true;
#else
constexpr bool kHeapIsTheSanitizers = false;
#endif

// In a process of its own, which may have `room` bytes more than it has: whether it can then fill half of
// them.
bool fills_heap(rlim_t room) {
  const pid_t child = ::fork();
  if (child == 0) {
    rlimit limit{};
    ::getrlimit(RLIMIT_DATA, &limit);
    std::ifstream statm("/proc/self/statm");
    std::uint64_t pages[6] = {};
    for (std::uint64_t& number : pages) statm >> number;
    limit.rlim_cur = pages[5] * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + room;
    if (room > 0) ::setrlimit(RLIMIT_DATA, &limit);
    keyshift::prefer_huge_heap();
    std::vector<std::vector<char>> blocks;
    try {
      for (int i = 0; i < 32; ++i) blocks.emplace_back(1U << 20U, 'x');
    } catch (const std::bad_alloc&) {
      ::_exit(1);
    }
    ::_exit(blocks.back().back() == 'x' ? 0 : 2);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

TEST_CASE("a heap in huge pages can be filled, also by a process that may not have much memory") {
  if (kHeapIsTheSanitizers) {
    MESSAGE("skipped: the sanitizer has a heap of its own");
    return;
  }
  CHECK(fills_heap(0));
  CHECK(fills_heap(rlim_t{64} << 20U));
}
