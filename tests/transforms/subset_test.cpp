#include "transforms/subset.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "support/error_text.h"

using namespace keyshift;
using namespace keyshift::test;

TEST_CASE("without patterns every tensor is kept") {
  CHECK(SubsetPatterns{}.is_everything());
  CHECK(Subset({}).keeps("anything"));
}

TEST_CASE("one matching --keep is enough, and one matching --drop takes it away again") {
  const Subset subset({{"^vision", R"(\.norm$)"}, {"bias"}});
  CHECK(subset.keeps("vision.weight"));
  CHECK(subset.keeps("text.norm"));
  CHECK_FALSE(subset.keeps("text.weight"));
  CHECK_FALSE(subset.keeps("vision.bias"));
}

TEST_CASE("patterns are searched for anywhere, as re.search does") {
  CHECK_FALSE(Subset({{}, {"mtp"}}).keeps("model.mtp.0.weight"));
  CHECK(Subset({{}, {"^mtp"}}).keeps("model.mtp.0.weight"));
}

TEST_CASE("a pattern that Python refuses is an error in the name of its option") {
  CHECK(error_text([] { Subset({{"("}, {}}); }).starts_with("--keep: Python's re refuses this pattern: "));
  CHECK(error_text([] { Subset({{}, {"["}}); }).starts_with("--drop: Python's re refuses this pattern: "));
}
