// Patterns that are one plain text, which most renaming rules are once their dots are escaped: found without
// PCRE2, several times faster and at any length.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "transforms/python_regex.h"

namespace keyshift::regex {

/// `text`, `^text`, `text(?!\w)` or `^text(?!\w)`, with any number of groups around the whole.
class LiteralSearch {
 public:
  /// nullopt: the pattern is more than that.
  static std::optional<LiteralSearch> from(const Syntax& syntax);

  /// Where the leftmost match in `subject` (valid UTF-8) at or behind `from` begins, in bytes; npos: nowhere.
  /// All groups span the whole match.
  std::size_t find(std::string_view subject, std::size_t from = 0) const noexcept;
  /// Length of every match, in bytes.
  std::size_t size() const noexcept { return text_.size(); }

 private:
  bool matches_at(std::string_view subject, std::size_t begin) const noexcept;

  std::string text_;
  bool at_start_ = false;
  bool at_word_end_ = false;
};

}  // namespace keyshift::regex
