#include "base/parallel.h"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

using namespace keyshift;

TEST_CASE("every part is done once, whatever the number of threads") {
  for (const unsigned jobs : {0U, 1U, 2U, 7U, 100U}) {
    std::vector<std::atomic<int>> done(50);
    for_each_parallel(done.size(), jobs, [&](std::size_t i) { ++done[i]; });
    for (const auto& times : done) CHECK(times == 1);
  }
}

TEST_CASE("no part at all is no work") {
  for_each_parallel(0, 4, [](std::size_t) { FAIL("called"); });
}

TEST_CASE("the first failure comes back and stops what has not begun") {
  std::atomic<int> done{0};
  CHECK_THROWS_WITH_AS(for_each_parallel(1'000'000, 3,
                                         [&](std::size_t i) {
                                           ++done;
                                           if (i == 5) throw std::runtime_error("five");
                                         }),
                       "five", std::runtime_error);
  CHECK(done < 1'000'000);
}

TEST_CASE("there is at least one processor") { CHECK(available_processors() >= 1); }
