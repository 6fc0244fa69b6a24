#include "base/side_by_side.h"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "base/parallel.h"

using keyshift::available_processors;
using keyshift::side_by_side;

TEST_CASE(
    "two pieces are done side by side, one of them on the caller's thread, and may wait for each other") {
  std::thread::id here, elsewhere;
  std::atomic<int> stage{0};
  const auto reach = [&](int next) {
    stage = next;
    stage.notify_one();
  };
  const auto first = [&] {
    here = std::this_thread::get_id();
    reach(1);
    stage.wait(1);
  };
  const auto second = [&] {
    stage.wait(0);
    elsewhere = std::this_thread::get_id();
    reach(2);
  };
  if (available_processors() == 1) {
    CHECK_FALSE(side_by_side(first, second));
    CHECK(stage == 0);
    return;
  }
  CHECK(side_by_side(first, second));
  CHECK(stage == 2);
  CHECK(here == std::this_thread::get_id());
  CHECK(elsewhere != here);
}

TEST_CASE("a failure of either piece comes back when both have ended, that on the caller's thread first") {
  if (available_processors() == 1) return;
  const auto fail_here = [] { throw std::runtime_error("here"); };
  const auto fail_elsewhere = [] { throw std::runtime_error("elsewhere"); };
  std::atomic<int> done{0};
  const auto count = [&] { ++done; };
  CHECK_THROWS_WITH_AS(side_by_side(fail_here, count), "here", std::runtime_error);
  CHECK_THROWS_WITH_AS(side_by_side(count, fail_elsewhere), "elsewhere", std::runtime_error);
  CHECK_THROWS_WITH_AS(side_by_side(fail_here, fail_elsewhere), "here", std::runtime_error);
  CHECK(done == 2);
}
