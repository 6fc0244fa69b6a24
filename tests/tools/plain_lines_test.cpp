#include "tools/commands/plain_lines.h"

#include <doctest/doctest.h>

#include <sstream>
#include <string>
#include <vector>

using keyshift::tools::LineSplitter;

namespace {

using Lines = std::vector<std::string_view>;

bool splits(const std::string& text) {
  LineSplitter splitter;
  Lines lines = {"of before"};
  if (!splitter.split(text, lines)) return false;
  std::vector<std::string> expected;
  std::string line;
  for (std::istringstream in(text); std::getline(in, line);) expected.push_back(line);
  return std::equal(lines.begin(), lines.end(), expected.begin(), expected.end());
}

}  // namespace

TEST_CASE("lines are found wherever they end, many in one block of 64 bytes or none in several") {
  CHECK(splits(""));
  CHECK(splits("a"));
  CHECK(splits(std::string(200, '\n')));
  for (std::size_t length = 0; length < 140; ++length) {
    std::string text(length, 'x');
    text += "\n~ !\n\nb\n" + std::string(length, 'y') + '\n' + std::string(length / 2, 'z');
    CHECK(splits(text));
    CHECK(splits(text + text));
  }
}

TEST_CASE("a byte that is neither printable ASCII nor a newline is found wherever it is") {
  for (std::size_t at = 0; at < 140; ++at) {
    for (const char byte : {'\t', '\r', '\0', '\x1F', '\x80', '\xFF', '\xC3'}) {
      std::string text(140, 'x');
      text[70] = '\n';
      text[at] = byte;
      CHECK_FALSE(splits(text));
    }
  }
}
