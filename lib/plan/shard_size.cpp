#include "plan/shard_size.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <string>

#include "base/error.h"

namespace keyshift {

namespace {

std::string_view stripped(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\n\r\f\v";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

double unit_of(std::string_view unit) {
  if (unit.size() != 2 || (unit[1] | 0x20) != 'b') return 0;
  switch (unit[0] | 0x20) {
    case 'k':
      return 1e3;
    case 'm':
      return 1e6;
    case 'g':
      return 1e9;
    case 't':
      return 1e12;
    default:
      return 0;
  }
}

}  // namespace

std::uint64_t parse_shard_size(std::string_view text) {
  const std::string_view whole = stripped(text);
  const std::string_view digits =
      whole.size() < 2 ? std::string_view() : stripped(whole.substr(0, whole.size() - 2));
  const double unit = whole.size() < 2 ? 0 : unit_of(whole.substr(whole.size() - 2));
  double number = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const double bytes = number * unit;
  constexpr double kMost = 9e18;
  if (unit == 0 || failure != std::errc{} || end != digits.data() + digits.size() || !std::isfinite(bytes) ||
      bytes < 0 || bytes > kMost) {
    throw Error(
        ErrorKind::usage,
        fmt::format("a shard's size is a number with KB, MB, GB or TB, such as 5GB, not {}", quote(text)));
  }
  return static_cast<std::uint64_t>(bytes);
}

}  // namespace keyshift
