#include "base/json_number.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using keyshift::json::check_number;
using keyshift::json::NumberFault;
using keyshift::json::parse_u64;

TEST_CASE("a number follows JSON's grammar") {
  for (const char* good : {"0", "-0", "7", "-12", "0.5", "1e5", "1E+5", "1.25e-7", "10", "-0.0e-0"}) {
    CHECK_MESSAGE(check_number(good) == NumberFault::none, good);
  }
  for (const char* bad :
       {"",     "-",   "00", "01", "-01", "+1",       ".5",        "5.", "5.e1", "1e", "1e+",   "1e5.",
        "0x10", "1_0", "1 ", " 1", "NaN", "Infinity", "-Infinity", "1a", "--1",  "1-", "1.2.3", "1e5e5"}) {
    CHECK_MESSAGE(check_number(bad) == NumberFault::grammar, bad);
  }
}

TEST_CASE("a number beyond f64 is out of range exactly where serde_json says so") {
  const std::string zeros(400, '0');
  for (const std::string& good : std::vector<std::string>{
           "1e308", "1.7976931348623157e308", "0." + zeros + "1e700", "0e999999999999999999999", "0.0e400",
           "1e-999999999999999999999", "1" + zeros.substr(92), "1" + zeros + "e-200"}) {
    CHECK_MESSAGE(check_number(good) == NumberFault::none, good);
  }
  for (const std::string& bad : std::vector<std::string>{
           // it would fit, but not the way that serde_json computes it
           "17976931348623157" + zeros.substr(0, 292), "1e309", "-1e309", "1.8e308", "1e400", "1" + zeros,
           "10e308", "0." + zeros + "1e750", "1e999999999999999999999", "1" + zeros + "e-50"}) {
    CHECK_MESSAGE(check_number(bad) == NumberFault::out_of_range, bad);
  }
}

TEST_CASE("a u64 is plain digits below 2^64") {
  CHECK(parse_u64("0") == 0);
  CHECK(parse_u64("42") == 42);
  CHECK(parse_u64("9999999999999999999") == 9'999'999'999'999'999'999U);
  CHECK(parse_u64("18446744073709551615") == UINT64_MAX);
  for (const char* bad :
       {"", "-0", "-1", "+1", "00", "01", "1.0", "1e0", "18446744073709551616", "18446744073709551620",
        "99999999999999999999", "100000000000000000000", "1844674407370955161x", "1x", " 1"}) {
    CHECK_MESSAGE(!parse_u64(bad), bad);
  }
}
