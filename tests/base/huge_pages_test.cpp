#include "base/huge_pages.h"

#include <doctest/doctest.h>

#include <cstdint>
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
