#include "transforms/pcre2_characters.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace keyshift::regex {

namespace {

// Python's \w is str.isalnum() and the underscore, \d the category Nd, \s str.isspace(). The ASCII ranges are
// there for speed.
constexpr std::string_view kWord = "0-9A-Z_a-z\\p{L}\\p{N}";
constexpr std::string_view kWordSet = "[0-9A-Z_a-z\\p{L}\\p{N}]";
constexpr std::string_view kDigit = "0-9\\p{Nd}";
constexpr std::string_view kSpace =
    "\\x09-\\x0d\\x1c-\\x20\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{"
    "3000}";
constexpr std::string_view kAsciiSpace = "\\x09-\\x0d\\x20";

constexpr std::string_view kNotWord =
    "\\p{C}\\p{M}\\p{S}\\p{Z}\\p{Pd}\\p{Pe}\\p{Pf}\\p{Pi}\\p{Po}\\p{Ps}"
    "\\x{203f}\\x{2040}\\x{2054}\\x{fe33}\\x{fe34}\\x{fe4d}-\\x{fe4f}\\x{ff3f}";  // Pc without the underscore
constexpr std::string_view kNotSpace =
    "\\x{0}-\\x{8}\\x{e}-\\x{1b}\\x{21}-\\x{84}\\x{86}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-"
    "\\x{2027}"
    "\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{10ffff}";

constexpr std::string_view kNever = "(?!)";
constexpr std::string_view kAnything = "\\p{Any}";

bool is_ascii_letter(char32_t c) { return (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z'); }
bool is_surrogate(char32_t c) { return c >= 0xD800 && c <= 0xDFFF; }

void append_codepoint(std::string& out, char32_t c) {
  if (is_ascii_letter(c) || (c >= U'0' && c <= U'9') || c == U'_') {
    out.push_back(static_cast<char>(c));
  } else {
    fmt::format_to(std::back_inserter(out), "\\x{{{:x}}}", static_cast<std::uint32_t>(c));
  }
}

bool is_negated(char category) { return category == 'D' || category == 'W' || category == 'S'; }

// What stands in brackets for a category; of a negated one its opposite.
std::string_view category(char letter, bool ascii) {
  switch (letter) {
    case 'd':
    case 'D':
      return ascii ? "0-9" : kDigit;
    case 'w':
    case 'W':
      return ascii ? "0-9A-Z_a-z" : kWord;
    default:
      return ascii ? kAsciiSpace : kSpace;
  }
}

// The negated categories inside a set of several items.
std::string_view complement(char letter, bool ascii) {
  switch (letter) {
    case 'D':
      return ascii ? "\\D" : "\\P{Nd}";
    case 'W':
      return ascii ? "\\W" : kNotWord;
    default:
      return ascii ? "\\x{0}-\\x08\\x0e-\\x1f\\x{21}-\\x{10ffff}" : kNotSpace;
  }
}

// While ignoring case PCRE2 takes every pair that Python takes, but for these (measured over all characters).
constexpr std::array<std::u32string_view, 4> kMoreCases = {U"Ii\x0130\x0131", U"\x0390\x1fd3",
                                                           U"\x03b0\x1fe3", U"\xfb05\xfb06"};

// Adds what Python takes for another case of a character in `items` and PCRE2, told to ignore case, does not.
// Under the flag for ASCII nothing is left to PCRE2.
void add_other_cases(std::vector<SetItem>& items, bool ascii) {
  const std::size_t given = items.size();
  const auto holds = [&](char32_t c) {
    return std::any_of(
        items.begin(), items.begin() + static_cast<std::ptrdiff_t>(given),
        [&](const SetItem& item) { return item.category == 0 && item.first <= c && c <= item.last; });
  };
  if (ascii) {
    for (char32_t lower = U'a'; lower <= U'z'; ++lower) {
      const char32_t upper = lower - U'a' + U'A';
      if (holds(lower) == holds(upper)) continue;
      const char32_t other = holds(lower) ? upper : lower;
      items.push_back({other, other, 0});
    }
    return;
  }
  for (const std::u32string_view cases : kMoreCases) {
    if (std::none_of(cases.begin(), cases.end(), holds)) continue;
    for (const char32_t c : cases) items.push_back({c, c, 0});
  }
}

void append_range(std::string& out, SetItem item) {
  // PCRE2 takes no surrogates for ends, and no subject holds one.
  if (is_surrogate(item.first)) item.first = 0xE000;
  if (is_surrogate(item.last)) item.last = 0xD7FF;
  if (item.first > item.last) return;
  append_codepoint(out, item.first);
  if (item.first == item.last) return;
  out += '-';
  append_codepoint(out, item.last);
}

void append_items(std::string& out, const std::vector<SetItem>& items, bool negated, bool ascii, bool fold) {
  std::string inside;
  bool opposite = false;  // `inside` is the opposite of the set
  for (const SetItem& item : items) {
    if (item.category == 0) {
      append_range(inside, item);
    } else if (items.size() == 1 || !is_negated(item.category)) {
      opposite = is_negated(item.category);
      inside += category(item.category, ascii);
    } else {
      inside += complement(item.category, ascii);
    }
  }
  negated = negated != opposite;
  if (inside.empty()) {
    out += negated ? kAnything : kNever;
    return;
  }
  if (fold) out += "(?i:";
  out += negated ? "[^" : "[";
  out += inside;
  out += ']';
  if (fold) out += ')';
}

// One character, whatever its case.
void append_folded(std::string& out, char32_t c, bool ascii) {
  std::vector<SetItem> items{{c, c, 0}};
  add_other_cases(items, ascii);
  if (items.size() > 1) {
    append_items(out, items, false, ascii, !ascii);
  } else if (ascii || (c < 0x80 && !is_ascii_letter(c))) {
    append_codepoint(out, c);
  } else {
    out += "(?i:";
    append_codepoint(out, c);
    out += ')';
  }
}

bool holds_something(const Node& node) {
  return node.kind == NodeKind::set &&
         std::any_of(node.items.begin(), node.items.end(), [](const SetItem& item) {
           return item.category != 0 || !is_surrogate(item.first) || !is_surrogate(item.last);
         });
}

}  // namespace

void append_literal(std::string& out, const Node& node) {
  for (const char32_t c : node.text) {
    if (is_surrogate(c)) {
      out += kNever;  // no valid subject holds one
    } else if ((node.flags & kIgnoreCase) != 0) {
      append_folded(out, c, (node.flags & kAscii) != 0);
    } else {
      append_codepoint(out, c);
    }
  }
}

void append_set(std::string& out, const Node& node) {
  const bool ascii = (node.flags & kAscii) != 0;
  const bool ignore_case = (node.flags & kIgnoreCase) != 0;
  std::vector<SetItem> items = node.items;
  if (ignore_case) add_other_cases(items, ascii);
  append_items(out, items, node.negated, ascii, ignore_case && !ascii);
}

bool is_one_character(const Node& node) {
  return node.kind == NodeKind::any || (node.kind == NodeKind::literal && !is_surrogate(node.text.front())) ||
         holds_something(node);
}

std::string_view word_set() { return kWordSet; }

}  // namespace keyshift::regex
