// The parser behind regex::parse, for python_regex_*.cpp only. Every position and every order of checks
// follows CPython 3.11's re module as observed, so that the same patterns are refused at the same place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "transforms/python_regex.h"
#include "transforms/unicode_characters.h"

namespace keyshift::regex {

/// A character, a backslash with the character after it, or the end of the pattern.
struct Token {
  enum class Kind : std::uint8_t { character, escape, end };
  Kind kind = Kind::end;
  char32_t c = 0;  // the character; of an escape the one after the backslash

  bool is(char32_t wanted) const noexcept { return kind == Kind::character && c == wanted; }
  bool is_one_of(std::u32string_view set) const noexcept {
    return kind == Kind::character && set.find(c) != std::u32string_view::npos;
  }
  bool at_end() const noexcept { return kind == Kind::end; }
  std::string text() const;  // as it stands in the pattern
  std::size_t size() const noexcept { return kind == Kind::end ? 0 : kind == Kind::escape ? 2 : 1; }
};

/// The pattern's tokens with one of look-ahead. Positions count characters.
class Tokens {
 public:
  /// `pattern`: valid UTF-8, or a SyntaxError is thrown.
  explicit Tokens(std::string_view pattern);

  const Token& next() const noexcept { return next_; }
  Token take();
  bool take_if(char32_t c);
  /// At most `most` characters out of `set`.
  std::u32string take_while(std::size_t most, std::u32string_view set);
  /// Up to `terminator`, which is taken too; `what` names the text in messages.
  std::u32string take_until(char32_t terminator, std::string_view what);
  std::size_t position() const noexcept { return index_ - next_.size(); }
  void go_back(std::size_t position);

  /// Bytes into the pattern.
  std::size_t byte_offset(std::size_t position) const noexcept { return bytes_[position]; }
  /// A SyntaxError at `position`.
  [[noreturn]] void fail_at(std::size_t position, std::string message) const;
  /// … at `back` characters before the next token.
  [[noreturn]] void fail(std::string message, std::size_t back = 0) const {
    fail_at(position() - back, message);
  }

 private:
  void advance();

  std::u32string text_;
  std::vector<std::size_t> bytes_;  // offset of each character, and of the end
  std::size_t index_ = 0;           // after next_
  Token next_;
};

class Parser {
 public:
  explicit Parser(std::string_view pattern) : tokens_(pattern) {}
  Syntax parse();

 private:
  enum class GroupState : std::uint8_t { open, closed };
  struct Flags {
    std::uint32_t flags = 0;  // kIgnoreCase …
    bool verbose = false;
  };
  struct FlagChange {  // what stands in (?…)
    std::uint32_t add = 0, remove = 0;
    bool verbose_on = false, verbose_off = false, unicode = false, ascii = false, template_on = false;
    bool global = false;  // (?i) rather than (?i:
  };

  // python_regex_parse.cpp
  Node parse_alternatives(Flags flags, unsigned depth);
  Node parse_sequence(Flags& flags, unsigned depth, bool first);
  bool skip_verbose(const Token& token);
  bool parse_repeat(const Token& token, std::vector<Node>& items);
  bool parse_counts(std::uint32_t& minimum, std::uint32_t& maximum, std::size_t here);
  std::uint32_t repeat_count(const std::u32string& digits, std::size_t here) const;
  static void join_literals(std::vector<Node>& items);
  Node finish_sequence(std::vector<Node> items, std::size_t begin) const;

  // python_regex_group.cpp
  void parse_group(Flags& flags, unsigned depth, bool first, std::vector<Node>& items);
  bool parse_python_extension(std::size_t begin, const Flags& flags, std::string& name,
                              std::vector<Node>& items);
  void skip_comment(std::size_t begin);
  Node parse_look(Token kind, std::size_t begin, const Flags& flags, unsigned depth);
  Node parse_conditional(std::size_t begin, const Flags& flags, unsigned depth);
  std::uint32_t condition_group();
  Node parse_body(std::size_t begin, const std::string& name, bool capture, Flags flags, unsigned depth);
  FlagChange parse_flags(Token token);
  void parse_flags_off(FlagChange& change);
  void apply_global(const FlagChange& change, Flags& flags);
  static Flags scoped(Flags flags, const FlagChange& change);
  void close(std::size_t begin);
  std::uint32_t open_group(const std::string& name);
  void check_name(const std::u32string& name) const;
  void check_in_lookbehind(std::uint32_t group) const;
  std::optional<std::uint32_t> named(const std::string& name) const;

  // python_regex_escape.cpp
  Node parse_escape(const Token& token, const Flags& flags);
  Node parse_set(const Flags& flags);
  SetItem parse_set_escape(const Token& token);
  std::optional<char32_t> parse_codepoint_escape(const Token& token);
  char32_t parse_hexadecimal(const Token& token, std::size_t digits);
  char32_t parse_character_name();
  char32_t parse_octal(std::u32string digits) const;
  Node parse_numbered(const Token& token, const Flags& flags);
  [[noreturn]] void bad_escape(std::u32string_view escape) const;

  Node node(NodeKind kind, std::size_t position, const Flags& flags) const;

  Tokens tokens_;
  std::vector<GroupState> groups_;  // of group i + 1
  std::vector<std::pair<std::string, std::uint32_t>> names_;
  std::map<std::uint32_t, std::size_t> conditions_;  // groups that conditions name → where first
  std::optional<std::uint32_t> lookbehind_groups_;   // groups there were before the outermost open lookbehind
  std::uint32_t global_flags_ = 0;
  bool global_unicode_ = false;
  bool global_template_ = false;
  bool has_repeat_ = false;
};

/// Throws a SyntaxError if a lookbehind has no fixed width, as Python counts widths.
void check_lookbehinds(const Syntax& syntax);

/// UTF-8.
std::string to_utf8(std::u32string_view text);
/// As Python's repr() shows a string.
std::string repr(std::u32string_view text);

}  // namespace keyshift::regex
