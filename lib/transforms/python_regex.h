// Python's `re` syntax, parsed (TRANSFORMS.md, T20 …). The tree is written out as a PCRE2 pattern of the same
// meaning, and it is what the trie asks about a pattern without running it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keyshift::regex {

enum class NodeKind : std::uint8_t {
  empty,
  literal,       // one code point
  any,           // .
  set,           // [...] or a class escape such as \d \w \s and their negations
  begin,         // ^ or \A
  end,           // $ (also before a final newline)
  absolute_end,  // \Z
  word_boundary,
  not_word_boundary,
  sequence,
  alternation,
  repeat,  // greedy, lazy or possessive
  group,   // capturing (index, maybe a name), non-capturing, atomic, or with scoped flags
  lookahead,
  lookbehind,
  backreference,
  conditional,  // (?(group)yes|no)
};

enum class RepeatKind : std::uint8_t { greedy, lazy, possessive };

struct SetItem {
  char32_t first = 0, last = 0;  // a range of code points, or …
  char category = 0;             // … one of d D w W s S
};

/// A node of the syntax tree. Plain data; what a field means depends on the kind.
struct Node {
  NodeKind kind = NodeKind::empty;
  std::size_t offset = 0;  // where it stands in the pattern, in bytes
  std::vector<Node> children;
  std::u32string text;                     // literal
  std::vector<SetItem> items;              // set
  bool negated = false;                    // set, lookahead, lookbehind
  std::uint32_t minimum = 0, maximum = 0;  // repeat; kUnbounded
  RepeatKind repeat = RepeatKind::greedy;
  std::uint32_t group =
      0;  // group, backreference, conditional: capture index; 0 for a group that captures nothing
  std::string group_name;
  bool atomic = false;      // group
  std::uint32_t flags = 0;  // in force at this node: kIgnoreCase, kMultiline, kDotAll, kAscii
};
inline constexpr std::uint32_t kUnbounded = 0xFFFFFFFFU;
inline constexpr std::uint32_t kIgnoreCase = 1, kMultiline = 2, kDotAll = 4, kAscii = 8;

struct Syntax {
  Node root;
  std::uint32_t flags = 0;   // those that hold for the whole pattern, (?i) at its start
  std::uint32_t groups = 0;  // number of capturing groups
  std::vector<std::pair<std::string, std::uint32_t>> names;  // group name → index
};

/// What is wrong with a pattern and where (bytes into it). The words are Python's where Python refuses too.
struct SyntaxError {
  std::size_t offset = 0;
  std::string message;
};

/// Groups may be nested this deep. Python gives up at about 490 (its stack of 1,000 frames, two a group).
inline constexpr unsigned kMaximumNesting = 500;

/// Parses `pattern` (UTF-8) as Python 3.11's re.compile would, and refuses what that refuses. Throws
/// SyntaxError.
Syntax parse(std::string_view pattern);

/// The same meaning as a PCRE2 pattern, for PCRE2_UTF | PCRE2_UCP and newline LF. Throws SyntaxError for what
/// Python accepts and PCRE2 cannot say (listed in TRANSFORMS.md).
std::string to_pcre2(const Syntax& syntax);

}  // namespace keyshift::regex
