// The other half of python_re.py. Reads lines `P HEX` (a pattern) and `S HEX` (a subject for it), UTF-8 in
// hexadecimal, and answers each with one line: `ok`, `refused TEXT`, `no match`, `limit`, or the spans of the
// match and of all groups as `BEGIN,END …` in bytes of the subject, `-` for a group that took no part.
#include <iostream>
#include <memory>
#include <string>

#include "base/error.h"
#include "transforms/pattern.h"

namespace {

int hexadecimal_value(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

std::string from_hexadecimal(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    out.push_back(static_cast<char>(hexadecimal_value(text[i]) * 16 + hexadecimal_value(text[i + 1])));
  }
  return out;
}

std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '\n' ? std::string("\\n") : std::string(1, c);
  return out;
}

std::string search(const keyshift::Pattern& pattern, const std::string& subject) {
  keyshift::Match match;
  if (!pattern.search(subject, match)) return "no match";
  std::string out;
  for (std::size_t group = 0; group <= pattern.syntax().groups; ++group) {
    const auto span = match.span(group);
    if (group != 0) out += ' ';
    out += span.matched() ? std::to_string(span.begin) + "," + std::to_string(span.end) : "-";
  }
  return out;
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  std::unique_ptr<keyshift::Pattern> pattern;
  for (std::string line; std::getline(std::cin, line);) {
    const std::string text = from_hexadecimal(std::string_view(line).substr(2));
    try {
      if (line.starts_with("P")) {
        pattern.reset();
        pattern = std::make_unique<keyshift::Pattern>(text);
        std::cout << "ok\n";
      } else {
        std::cout << (pattern ? search(*pattern, text) : "no pattern") << '\n';
      }
    } catch (const keyshift::Error& error) {
      const bool limit = error.kind() == keyshift::ErrorKind::pattern_limit;
      std::cout << (limit ? "limit" : "refused " + one_line(error.what())) << '\n';
    }
    if (std::cin.rdbuf()->in_avail() == 0) std::cout.flush();
  }
}
