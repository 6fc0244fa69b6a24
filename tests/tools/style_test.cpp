#include "tools/style.h"

#include <doctest/doctest.h>

using namespace keyshift::tools;  // NOLINT: every function of one small header

TEST_CASE("bytes are told with three digits") {
  CHECK(human_bytes(0) == "0 B");
  CHECK(human_bytes(999) == "999 B");
  CHECK(human_bytes(1000) == "1.00 kB");
  CHECK(human_bytes(9'994) == "9.99 kB");
  CHECK(human_bytes(9'996) == "10.0 kB");
  CHECK(human_bytes(99'960) == "100 kB");
  CHECK(human_bytes(999'499) == "999 kB");
  CHECK(human_bytes(999'500) == "1.00 MB");
  CHECK(human_bytes(16'060'522'496) == "16.1 GB");
  CHECK(human_bytes(UINT64_MAX) == "18.4 EB");
}

TEST_CASE("numbers are grouped and nouns counted") {
  CHECK(grouped(0) == "0");
  CHECK(grouped(123) == "123");
  CHECK(grouped(1234) == "1,234");
  CHECK(grouped(91'000'000) == "91,000,000");
  CHECK(counted(1, "tensor") == "1 tensor");
  CHECK(counted(0, "tensor") == "0 tensors");
  CHECK(counted(1856, "tensor") == "1,856 tensors");
}

TEST_CASE("times are told as people tell them") {
  CHECK(human_seconds(0.04) == "0.0 s");
  CHECK(human_seconds(59.4) == "59.4 s");
  CHECK(human_seconds(65) == "1:05 min");
  CHECK(human_seconds(3600 + 62) == "1:01 h");
}

TEST_CASE("text that a terminal would act on is quoted, other text is left alone") {
  CHECK(printable("model.weight") == "model.weight");
  CHECK(printable("größe \"a\"") == "größe \"a\"");
  CHECK(printable("a\033[31mb") == "\"a\\x1b[31mb\"");
  CHECK(printable("a\nb\xff") == "\"a\\x0ab\\xff\"");
  CHECK(path_text("a\xff") == "\"a\\xff\"");
  CHECK(path_text("a\nb") == "a\nb");
}

TEST_CASE("colours are there or not") {
  CHECK(Style(true).bold("a") == "\033[1ma\033[0m");
  CHECK(Style(false).bold("a") == "a");
}
