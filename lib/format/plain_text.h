// A cursor over JSON text as machines write it, for readers of the plain form. It never decides that a text
// is wrong: what it does not take, the general reader judges.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/plain_bytes.h"

namespace keyshift {

class PlainText {
 public:
  explicit PlainText(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  const char* place() const noexcept { return at_; }
  std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }

  /// Takes `wanted` if it comes next.
  bool take(char wanted) noexcept {
    if (at_ == end_ || *at_ != wanted) return false;
    ++at_;
    return true;
  }
  bool take(std::string_view wanted) noexcept {
    if (left() < wanted.size() || std::memcmp(at_, wanted.data(), wanted.size()) != 0) return false;
    at_ += wanted.size();
    return true;
  }

  /// Takes a string with its quotes: printable ASCII without escapes, and nothing else.
  bool take_string(std::string_view& text) noexcept { return take('"') && take_string_end(text); }
  /// The same from behind its opening quote on.
  bool take_string_end(std::string_view& text) noexcept {
    const std::size_t size = plain_prefix<PlainBytes::ascii>({at_, left()});
    if (size == left() || at_[size] != '"') return false;
    text = {at_, size};
    at_ += size + 1;
    return true;
  }

  /// Takes an integer as it is written: no sign, no leading zero, at most 19 digits.
  bool take_integer(std::uint64_t& number) noexcept {
    constexpr std::ptrdiff_t kDigits = 19;  // 10^19 < 2^64
    const char* digit = at_;
    std::uint64_t value = 0;
    for (; digit != end_ && *digit >= '0' && *digit <= '9'; ++digit)
      value = 10 * value + static_cast<std::uint64_t>(*digit - '0');
    const std::ptrdiff_t count = digit - at_;
    if (count == 0 || count > kDigits || (count > 1 && *at_ == '0')) return false;
    number = value;
    at_ = digit;
    return true;
  }

  /// True if nothing but spaces is left.
  bool only_spaces_left() const noexcept {
    for (const char* byte = at_; byte != end_; ++byte)
      if (*byte != ' ') return false;
    return true;
  }

  /// Takes the white space that JSON knows.
  void skip_blanks() noexcept {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
  }

 private:
  const char* at_;
  const char* end_;
};

}  // namespace keyshift
