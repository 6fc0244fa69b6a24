// The replacement of Python's re.sub: text with \1, \g<name> and escapes in it (TRANSFORMS.md, T42).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "transforms/pattern.h"

namespace keyshift {

class PythonTemplate {
 public:
  /// `pattern`: whose groups it may name. Throws regex::SyntaxError with Python's words and the place.
  PythonTemplate(std::string_view text, const regex::Syntax& pattern);

  /// What comes in the place of `match` in `subject`; a group that took no part is empty.
  void append(std::string& out, const Match& match, std::string_view subject) const;

 private:
  struct Part {
    std::string text;       // before …
    std::size_t group = 0;  // … this group; npos: none
  };
  std::vector<Part> parts_;
};

/// `text` as a template that gives it back.
std::string exact_template(std::string_view text);
/// `text` as a pattern of Python's that matches it and nothing else.
std::string exact_pattern(std::string_view text);

}  // namespace keyshift
