#include "plan/shard_size.h"

#include <doctest/doctest.h>

#include <string>

#include "support/error_text.h"

using namespace keyshift;
using namespace keyshift::test;

TEST_CASE("units are powers of 1000, in whatever case, with blanks and fractions") {
  CHECK(parse_shard_size("5GB") == 5'000'000'000);
  CHECK(parse_shard_size(" 1.5 kb ") == 1500);
  CHECK(parse_shard_size("2Mb") == 2'000'000);
  CHECK(parse_shard_size("1e-3TB") == 1'000'000'000);
  CHECK(parse_shard_size("0KB") == 0);
}

TEST_CASE("what is no size is refused: bare digits, powers of 1024, nothing, negative and endless numbers") {
  for (const char* text :
       {"", "5", "5GiB", "GB", "5 G B", "-1GB", "infGB", "nanGB", "1e300TB", "5EB", "0x1GB"}) {
    CHECK(error_text([&] { parse_shard_size(text); }) ==
          "a shard's size is a number with KB, MB, GB or TB, such as 5GB, not \"" + std::string(text) + "\"");
  }
}
