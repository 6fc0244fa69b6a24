#include "transforms/python_integer.h"

#include <doctest/doctest.h>

using namespace keyshift::python;

TEST_CASE("every script's digits have a value, and only decimal digits have one") {
  CHECK(decimal_value(U'7') == 7);
  CHECK(decimal_value(U'٣') == 3);
  CHECK(decimal_value(U'９') == 9);
  CHECK(decimal_value(0x1FBF9) == 9);  // segmented digit nine, the last of Unicode 14
  CHECK(decimal_value(0x1FBFA) == -1);
  CHECK(decimal_value(U'²') == -1);
  CHECK(decimal_value(U'a') == -1);
  CHECK(decimal_value(U'/') == -1);
  CHECK(decimal_value(U':') == -1);
}

TEST_CASE("a text of digits is put in ASCII, any other is refused") {
  CHECK(ascii_digits("0١2") == "012");
  CHECK(ascii_digits("") == std::nullopt);
  CHECK(ascii_digits("1²") == std::nullopt);
  CHECK(ascii_digits("-1") == std::nullopt);
  CHECK(ascii_digits("1 ") == std::nullopt);
}

TEST_CASE("a number is read as Python's int() reads it") {
  CHECK(add_to_integer("007", 0) == "7");
  CHECK(add_to_integer("-0", 0) == "0");
  CHECK(add_to_integer("+5", 0) == "5");
  CHECK(add_to_integer("1_000", 1) == "1001");
  CHECK(add_to_integer(" \t12\n", 0) == "12");
  CHECK(add_to_integer("\u00a0\u0663\u3000", 0) == "3");
}

TEST_CASE("what int() refuses is refused") {
  for (const char* text :
       {"", " ", "+", "-", "--1", "1 2", "_1", "1_", "1__0", "x", "1.0", "0x1", "²", "1é"}) {
    CHECK_MESSAGE(add_to_integer(text, 0) == std::nullopt, text);
  }
}

TEST_CASE("an offset is added to a number of any length and any sign") {
  CHECK(add_to_integer("9", 1) == "10");
  CHECK(add_to_integer("10", -1) == "9");
  CHECK(add_to_integer("0", -1) == "-1");
  CHECK(add_to_integer("-1", 1) == "0");
  CHECK(add_to_integer("-5", 3) == "-2");
  CHECK(add_to_integer("-5", -3) == "-8");
  CHECK(add_to_integer("99999999999999999999999999", 1) == "100000000000000000000000000");
  CHECK(add_to_integer("100000000000000000000000000", -1) == "99999999999999999999999999");
  CHECK(add_to_integer("1", INT64_MIN) == "-9223372036854775807");
  CHECK(add_to_integer("1", INT64_MAX) == "9223372036854775808");
}
