// The order in which transformers takes the keys of a checkpoint (TRANSFORMS.md, T11).
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "transforms/python_integer.h"
#include "transforms/renaming.h"

namespace keyshift {

namespace {

bool is_ascii_digit(char c) { return c >= '0' && c <= '9'; }

// One part between dots. A number is its digits without leading zeros; nothing in it means that it is zero.
struct Part {
  bool is_number = false;
  std::string_view text;                   // of a part that is no number, without its trailing digits
  std::optional<std::string_view> digits;  // a number's own, or the trailing ones of a text
  std::string translated;                  // what `digits` views if they were of another script
};

void set_digits(Part& part, std::string_view digits) {
  part.digits = digits.substr(std::min(digits.find_first_not_of('0'), digits.size()));
}

void read_part(std::string_view text, Part& part) {
  std::size_t digits_from = text.size();
  while (digits_from > 0 && is_ascii_digit(text[digits_from - 1])) --digits_from;
  if (digits_from == 0 && !text.empty()) {
    part.is_number = true;
    return set_digits(part, text);
  }
  const bool may_be_other_script = !text.empty() && static_cast<unsigned char>(text.front()) >= 0x80;
  if (may_be_other_script || (digits_from > 0 && static_cast<unsigned char>(text[digits_from - 1]) >= 0x80)) {
    if (auto digits = python::ascii_digits(text)) {
      part.is_number = true;
      part.translated = std::move(*digits);
      return set_digits(part, part.translated);
    }
  }
  part.text = text.substr(0, digits_from);
  if (digits_from < text.size()) set_digits(part, text.substr(digits_from));
}

int compare_numbers(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return a.compare(b);
}

// Numbers before texts; a text without a number before the same text with one.
int compare_parts(std::string_view a, std::string_view b) {
  if (a == b) return 0;
  Part left, right;
  read_part(a, left);
  read_part(b, right);
  if (left.is_number != right.is_number) return left.is_number ? -1 : 1;
  if (const int order = left.text.compare(right.text); order != 0) return order;
  if (left.digits && right.digits) return compare_numbers(*left.digits, *right.digits);
  return left.digits ? 1 : right.digits ? -1 : 0;
}

// Cuts the text up to the next dot off `rest`; nullopt after the last part.
std::optional<std::string_view> next_part(std::optional<std::string_view>& rest) {
  if (!rest) return std::nullopt;
  const std::size_t dot = rest->find('.');
  const std::string_view part = rest->substr(0, dot);
  rest = dot == std::string_view::npos ? std::nullopt : std::optional(rest->substr(dot + 1));
  return part;
}

// Bytes that `a` and `b` have in common at the start, taken eight at a time: keys differ late.
std::size_t common_prefix(std::string_view a, std::string_view b) {
  const std::size_t size = std::min(a.size(), b.size());
  std::size_t same = 0;
  for (; same + 8 <= size; same += 8) {
    std::uint64_t left = 0, right = 0;
    std::memcpy(&left, a.data() + same, 8);
    std::memcpy(&right, b.data() + same, 8);
    if (left != right) break;
  }
  while (same < size && a[same] == b[same]) ++same;
  return same;
}

}  // namespace

bool dot_natural_less(std::string_view a, std::string_view b) {
  // Parts that are the same bytes are equal: begin at the part that holds the first difference.
  const std::size_t same = common_prefix(a, b);
  const std::size_t dot = same == 0 ? std::string_view::npos : a.rfind('.', same - 1);
  const std::size_t from = dot == std::string_view::npos ? 0 : dot + 1;
  std::optional<std::string_view> rest_a = a.substr(from), rest_b = b.substr(from);
  for (;;) {
    const auto part_a = next_part(rest_a), part_b = next_part(rest_b);
    if (!part_a || !part_b) return !part_a && part_b;
    if (const int order = compare_parts(*part_a, *part_b); order != 0) return order < 0;
  }
}

}  // namespace keyshift
