#include "base/crash_cleanup.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

using namespace keyshift;

namespace {

std::set<std::string> listed() {
  static std::set<std::string> seen;
  seen.clear();
  CrashCleanup::for_each([](const char* folder) { seen.insert(folder); });
  return seen;
}

}  // namespace

TEST_CASE("a folder is on the list while its owner lives, wherever that is moved") {
  {
    CrashCleanup one("/a");
    CrashCleanup two("/b");
    CHECK(listed() == std::set<std::string>{"/a", "/b"});
    CrashCleanup three(std::move(two));
    one = CrashCleanup();
    CHECK(listed() == std::set<std::string>{"/b"});
  }
  CHECK(listed().empty());
}

TEST_CASE("what finds no place is left out: a long list, a path that no call would take") {
  CHECK((CrashCleanup("/" + std::string(5000, 'x')), listed().empty()));
  std::vector<CrashCleanup> many;
  for (int i = 0; i < 100; ++i) many.emplace_back("/" + std::to_string(i));
  CHECK(listed().size() == 64);
}
