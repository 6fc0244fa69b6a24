#include "base/json_number.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/checked.h"

namespace keyshift::json {

namespace {

constexpr std::uint64_t kNoDigit = 10;

// 10^exponent, rounded correctly.
double power_of_ten(int exponent) noexcept {
  std::array<char, 8> text = {'1', 'e'};
  const auto end = std::to_chars(text.data() + 2, text.data() + text.size(), exponent).ptr;
  double power = 0;
  std::from_chars(text.data(), end, power);
  return power;
}

class NumberReader {
 public:
  explicit NumberReader(std::string_view token) : token_(token) {}

  NumberFault read() {
    if (peek() == '-') ++at_;
    if (!read_integer_part() || !read_fraction() || !read_exponent() || at_ != token_.size()) {
      return NumberFault::grammar;
    }
    return is_finite() ? NumberFault::none : NumberFault::out_of_range;
  }

 private:
  char peek() const { return at_ < token_.size() ? token_[at_] : '\0'; }
  std::uint64_t digit() const {
    const char c = peek();
    return c >= '0' && c <= '9' ? static_cast<std::uint64_t>(c - '0') : kNoDigit;
  }

  // Takes the digit into the significand as long as that fits 64 bits.
  bool take(std::uint64_t digit) {
    if (full_) return false;
    const auto tenfold = checked_multiply(significand_, 10);
    const auto sum = tenfold ? checked_add(*tenfold, digit) : std::nullopt;
    if (!sum) return false;
    significand_ = *sum;
    return true;
  }

  bool read_integer_part() {
    if (digit() == kNoDigit) return false;
    if (peek() == '0') {
      ++at_;
      return digit() == kNoDigit;
    }
    bool dropping = false;  // the digits that do not fit any more only count
    for (; digit() != kNoDigit; ++at_) {
      dropping = dropping || !take(digit());
      if (dropping) ++exponent_;
    }
    return true;
  }

  bool read_fraction() {
    if (peek() != '.') return true;
    ++at_;
    if (digit() == kNoDigit) return false;
    for (; digit() != kNoDigit; ++at_) {
      if (take(digit())) {
        --exponent_;
      } else {
        full_ = true;
      }
    }
    return true;
  }

  bool read_exponent() {
    if (peek() != 'e' && peek() != 'E') return true;
    ++at_;
    const bool negative = peek() == '-';
    if (negative || peek() == '+') ++at_;
    if (digit() == kNoDigit) return false;
    // Far beyond any double, and far from overflow: where it stops, the answer no longer changes.
    constexpr std::int64_t kEnough = std::numeric_limits<std::int32_t>::max();
    std::int64_t value = 0;
    for (; digit() != kNoDigit; ++at_) {
      if (value <= kEnough) value = value * 10 + static_cast<std::int64_t>(digit());
    }
    exponent_ += negative ? -value : value;
    return true;
  }

  bool is_finite() const {
    if (significand_ == 0 || exponent_ <= 0) return true;
    if (exponent_ > 308) return false;
    return std::isfinite(static_cast<double>(significand_) * power_of_ten(static_cast<int>(exponent_)));
  }

  std::string_view token_;
  std::size_t at_ = 0;
  std::uint64_t significand_ = 0;
  std::int64_t exponent_ = 0;
  bool full_ = false;
};

}  // namespace

NumberFault check_number(std::string_view token) noexcept { return NumberReader(token).read(); }

std::optional<std::uint64_t> parse_u64(std::string_view token) noexcept {
  if (token.empty() || token.size() > 20 || (token[0] == '0' && token.size() > 1)) return std::nullopt;
  std::uint64_t value = 0;
  // 19 digits always fit.
  const std::size_t safe = token.size() < 20 ? token.size() : 19;
  for (std::size_t i = 0; i < safe; ++i) {
    const auto digit = static_cast<unsigned char>(token[i] - '0');
    if (digit > 9) return std::nullopt;
    value = value * 10 + digit;
  }
  if (token.size() < 20) return value;
  const auto digit = static_cast<unsigned char>(token[19] - '0');
  const auto tenfold = checked_multiply(value, 10);
  if (digit > 9 || !tenfold) return std::nullopt;
  return checked_add(*tenfold, digit);
}

}  // namespace keyshift::json
