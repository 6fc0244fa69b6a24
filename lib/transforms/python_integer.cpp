#include "transforms/python_integer.h"

#include <algorithm>
#include <array>

#include "base/utf8.h"

namespace keyshift::python {

namespace {

// The zeros of Unicode 14; the digits of a script follow their zero one by one.
constexpr std::array<char32_t, 66> kZeros = {
    0x30,    0x660,   0x6F0,   0x7C0,   0x966,   0x9E6,   0xA66,   0xAE6,   0xB66,   0xBE6,   0xC66,
    0xCE6,   0xD66,   0xDE6,   0xE50,   0xED0,   0xF20,   0x1040,  0x1090,  0x17E0,  0x1810,  0x1946,
    0x19D0,  0x1A80,  0x1A90,  0x1B50,  0x1BB0,  0x1C40,  0x1C50,  0xA620,  0xA8D0,  0xA900,  0xA9D0,
    0xA9F0,  0xAA50,  0xABF0,  0xFF10,  0x104A0, 0x10D30, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0,
    0x11450, 0x114D0, 0x11650, 0x116C0, 0x11730, 0x118E0, 0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x16A60,
    0x16AC0, 0x16B50, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E950, 0x1FBF0};

// What str.isspace() says, and so int() strips.
bool is_space(char32_t c) {
  return (c >= 0x9 && c <= 0xD) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

// `text` in ASCII: a space for white space, a digit for a digit, '?' for anything else outside ASCII.
std::string to_ascii(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += utf8::valid_length(text.substr(i))) {
    const char32_t c = utf8::decode(text.substr(i));
    const int value = decimal_value(c);
    if (value >= 0) {
      out += static_cast<char>('0' + value);
    } else {
      out += is_space(c) ? ' ' : c < 0x80 ? static_cast<char>(c) : '?';
    }
  }
  return out;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A decimal number of any length: digits without leading zeros ("0" for zero).
struct Integer {
  bool negative = false;
  std::string digits;
};

std::string without_leading_zeros(std::string digits) {
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  return digits;
}

std::optional<Integer> parse(std::string_view text) {
  const std::string ascii = to_ascii(text);
  const std::size_t first = ascii.find_first_not_of(' ');
  if (first == std::string::npos) return std::nullopt;
  std::string_view body = std::string_view(ascii).substr(first, ascii.find_last_not_of(' ') - first + 1);
  Integer out;
  if (body.front() == '+' || body.front() == '-') {
    out.negative = body.front() == '-';
    body.remove_prefix(1);
  }
  bool after_digit = false;
  for (const char c : body) {
    if (!is_digit(c) && !(c == '_' && after_digit)) return std::nullopt;
    after_digit = is_digit(c);
    if (after_digit) out.digits += c;
  }
  if (!after_digit) return std::nullopt;
  out.digits = without_leading_zeros(std::move(out.digits));
  return out;
}

bool less(const std::string& a, const std::string& b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

std::string sum(std::string a, std::string b) {
  if (a.size() < b.size()) std::swap(a, b);
  b.insert(0, a.size() - b.size(), '0');
  int carry = 0;
  for (std::size_t i = a.size(); i-- > 0;) {
    const int digit = (a[i] - '0') + (b[i] - '0') + carry;
    a[i] = static_cast<char>('0' + digit % 10);
    carry = digit / 10;
  }
  return carry == 0 ? a : "1" + a;
}

// a - b, where a >= b.
std::string difference(std::string a, std::string b) {
  b.insert(0, a.size() - b.size(), '0');
  int borrow = 0;
  for (std::size_t i = a.size(); i-- > 0;) {
    const int digit = a[i] - b[i] - borrow;
    borrow = digit < 0 ? 1 : 0;
    a[i] = static_cast<char>('0' + digit + borrow * 10);
  }
  return without_leading_zeros(std::move(a));
}

Integer add(const Integer& a, const Integer& b) {
  if (a.negative == b.negative) return {a.negative, sum(a.digits, b.digits)};
  if (less(a.digits, b.digits)) return {b.negative, difference(b.digits, a.digits)};
  return {a.negative, difference(a.digits, b.digits)};
}

}  // namespace

int decimal_value(char32_t codepoint) noexcept {
  const auto* const next = std::upper_bound(kZeros.begin(), kZeros.end(), codepoint);
  if (next == kZeros.begin()) return -1;
  const char32_t value = codepoint - *(next - 1);
  return value < 10 ? static_cast<int>(value) : -1;
}

std::optional<std::string> ascii_digits(std::string_view text) {
  std::string out = to_ascii(text);
  if (out.empty() || !std::all_of(out.begin(), out.end(), is_digit)) return std::nullopt;
  return out;
}

std::optional<std::string> add_to_integer(std::string_view text, std::int64_t offset) {
  const auto number = parse(text);
  if (!number) return std::nullopt;
  std::string digits = std::to_string(offset);
  if (offset < 0) digits.erase(0, 1);
  const Integer out = add(*number, {offset < 0, std::move(digits)});
  return out.negative && out.digits != "0" ? "-" + out.digits : out.digits;
}

}  // namespace keyshift::python
