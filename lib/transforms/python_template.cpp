#include "transforms/python_template.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/utf8.h"

namespace keyshift {

namespace {

constexpr std::size_t npos = std::string::npos;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_octal(char c) { return c >= '0' && c <= '7'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// The character that an escape stands for.
std::optional<char> control(char letter) {
  constexpr std::string_view kLetters = "abfnrtv", kControls = "\a\b\f\n\r\t\v";
  const std::size_t at = kLetters.find(letter);
  return at == npos ? std::nullopt : std::optional(kControls[at]);
}

class Parser {
 public:
  Parser(std::string_view text, const regex::Syntax& pattern) : text_(text), pattern_(pattern) {}

  // Calls literal(bytes) and group(index) from left to right.
  template <class Literal, class Group>
  void parse(Literal literal, Group group) {
    while (at_ < text_.size()) {
      if (text_[at_] != '\\') {
        literal(text_.substr(at_, 1));
        ++at_;
        continue;
      }
      begin_ = at_++;
      if (at_ == text_.size()) fail("bad escape (end of pattern)");
      const char c = text_[at_];
      if (c == 'g') {
        ++at_;
        group(named_group());
      } else if (is_digit(c)) {
        number(literal, group);
      } else if (const auto known = control(c)) {
        literal(std::string_view(&*known, 1));
        ++at_;
      } else if (is_letter(c)) {
        fail(fmt::format("bad escape \\{}", c));
      } else {  // only the backslash itself loses its backslash
        literal(c == '\\' ? "\\" : text_.substr(begin_, 2));
        ++at_;
      }
    }
  }

 private:
  [[noreturn]] void fail(std::string message) const { throw regex::SyntaxError{begin_, std::move(message)}; }

  std::size_t checked(std::size_t group) const {
    if (group > pattern_.groups) fail(fmt::format("invalid group reference {}", group));
    return group;
  }

  // Behind \g: <1> or <name>.
  std::size_t named_group() {
    if (at_ == text_.size() || text_[at_] != '<') fail("missing <");
    const std::size_t end = text_.find('>', at_);
    if (end == npos) fail("missing >, unterminated name");
    const std::string_view name = text_.substr(at_ + 1, end - at_ - 1);
    if (name.empty()) fail("missing group name");
    at_ = end + 1;
    if (std::all_of(name.begin(), name.end(), is_digit)) {
      std::size_t group = 0;
      for (const char c : name)
        group = std::min<std::size_t>(group * 10 + static_cast<std::size_t>(c - '0'), 1'000'000);
      return checked(group);
    }
    for (const auto& [known, index] : pattern_.names) {
      if (known == name) return index;
    }
    fail(fmt::format("unknown group name {}", quote(name)));
  }

  // \0, \012, \377 are characters; \1 … \99 are groups.
  template <class Literal, class Group>
  void number(Literal literal, Group group) {
    std::size_t digits = 1;
    while (digits < 3 && at_ + digits < text_.size() && is_octal(text_[at_ + digits])) ++digits;
    const std::string_view octal = text_.substr(at_, digits);
    const bool is_character = octal.front() == '0' || (digits == 3 && is_octal(octal.front()));
    if (is_character) {
      char32_t value = 0;
      for (const char c : octal) value = value * 8 + static_cast<char32_t>(c - '0');
      if (value > 0377) fail(fmt::format("octal escape value \\{} outside of range 0-0o377", octal));
      std::string character;
      utf8::append(character, value);
      literal(character);
      at_ += digits;
      return;
    }
    std::size_t index = static_cast<std::size_t>(text_[at_++] - '0');
    if (at_ < text_.size() && is_digit(text_[at_]))
      index = index * 10 + static_cast<std::size_t>(text_[at_++] - '0');
    group(checked(index));
  }

  std::string_view text_;
  const regex::Syntax& pattern_;
  std::size_t at_ = 0, begin_ = 0;
};

}  // namespace

PythonTemplate::PythonTemplate(std::string_view text, const regex::Syntax& pattern) {
  std::string literal;
  Parser(text, pattern)
      .parse([&](std::string_view piece) { literal += piece; },
             [&](std::size_t group) {
               parts_.push_back({std::move(literal), group});
               literal.clear();
             });
  parts_.push_back({std::move(literal), npos});
}

void PythonTemplate::append(std::string& out, const Match& match, std::string_view subject) const {
  for (const Part& part : parts_) {
    out += part.text;
    if (part.group == npos) continue;
    const Match::Span span = match.span(part.group);
    if (span.matched()) out += subject.substr(span.begin, span.size());
  }
}

std::string exact_template(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '\\' ? std::string("\\\\") : std::string(1, c);
  return out;
}

std::string exact_pattern(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_letter(c) || is_digit(c) || c == '_' || byte >= 0x80) {
      out += c;
    } else {
      out += byte < 0x20 || byte == 0x7F ? fmt::format("\\x{:02x}", byte) : std::string{'\\', c};
    }
  }
  return out;
}

}  // namespace keyshift
