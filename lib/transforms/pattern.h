// A compiled pattern with the meaning that Python's `re.search` gives it (PCRE2 with JIT; its one owner is
// pattern.cpp).
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "transforms/python_regex.h"

namespace keyshift {

/// Where a match and its groups lie in the subject, in bytes. Re-used from search to search to save
/// allocations.
class Match {
 public:
  struct Span {
    std::size_t begin = npos, end = npos;
    bool matched() const noexcept { return begin != npos; }
    std::size_t size() const noexcept { return end - begin; }
  };
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);

  /// Group 0 is the whole match.
  Span span(std::size_t group = 0) const noexcept { return group < spans_.size() ? spans_[group] : Span{}; }

 private:
  friend class Pattern;
  std::vector<Span> spans_;
};

/// Immutable and shared between threads; compiled in the constructor, machine code is made when it is first
/// needed.
class Pattern {
 public:
  /// `python`: the pattern's text. Errors: pattern_invalid with the pattern and a caret (callers add file and
  /// line).
  explicit Pattern(std::string_view python);
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  /// The leftmost match in `subject` (valid UTF-8), as re.search finds it. Errors: pattern_limit when the
  /// limit of one search, or that of all expensive searches of this pattern together, is reached: a pattern
  /// that explodes is an error, never a hang (T33).
  bool search(std::string_view subject, Match& match) const;

  /// The same from `from` (bytes) on, where what stands before is still seen. `some`: a match that begins at
  /// `from` must take something.
  bool search_from(std::string_view subject, std::size_t from, bool some, Match& match) const;

  const std::string& text() const noexcept;  // as given
  const regex::Syntax& syntax() const noexcept;
  /// Index of the group of that name, if there is one.
  std::optional<std::size_t> group(std::string_view name) const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace keyshift
