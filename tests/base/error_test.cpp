#include "base/error.h"

#include <doctest/doctest.h>

#include <cerrno>

using namespace keyshift;

TEST_CASE("an error tells file, place, key and message in one line") {
  const Error error = Error(ErrorKind::offsets_invalid, "the tensor starts at 8, where 4 was expected")
                          .in("model.safetensors")
                          .at(42)
                          .for_key("a\nb");
  CHECK(std::string(error.what()) ==
        "model.safetensors: byte 42: key \"a\\x0ab\": the tensor starts at 8, where 4 was expected");
}

TEST_CASE("an error in a text shows the line with a caret under the place") {
  const Error error =
      Error(ErrorKind::transform_unknown, "unknown type").in("rules.json").showing("[\n  {\"type\": 7}]", 12);
  CHECK(std::string(error.what()) == "rules.json:2:11: unknown type\n2 |   {\"type\": 7}]\n  |           ^");
}

TEST_CASE("an error of the system tells what was tried and why it failed") {
  CHECK(std::string(io_error("cannot write", ENOSPC).what()) == "cannot write: No space left on device");
}

TEST_CASE("a hostile name is shown harmlessly") {
  CHECK(quote("\x1b[31m\xff\xc2\x85é") == "\"\\x1b[31m\\xff\\xc2\\x85é\"");
  CHECK(quote(std::string(1000, 'x'), 30) ==
        "\"" + std::string(20, 'x') + "… (970 bytes left out) …" + std::string(10, 'x') + "\"");
}

TEST_CASE("every kind of error has a name and a category") {
  CHECK(name(ErrorKind::usage) == "usage");
  CHECK(name(ErrorKind::interrupted) == "interrupted");
  CHECK(category(ErrorKind::io) == ErrorCategory::io);
  CHECK(category(ErrorKind::collision) == ErrorCategory::input);
}
