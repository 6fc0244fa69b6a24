// The tree written out for PCRE2. Compiled without PCRE2_UCP, so that \d \w \s \b are PCRE2's ASCII ones;
// Python's Unicode ones are spelled out, which also makes the result the same for every release of PCRE2.
#include <fmt/format.h>

#include <iterator>

#include "transforms/pcre2_characters.h"
#include "transforms/python_regex.h"
#include "transforms/repeat_order.h"
#include "transforms/unsupported_regex.h"

namespace keyshift::regex {

namespace {

constexpr std::string_view kNever = "(?!)";
constexpr std::string_view kAnything = "\\p{Any}";

class Writer {
 public:
  std::string take() { return std::move(out_); }

  void write(const Node& node) {
    switch (node.kind) {
      case NodeKind::empty:
        break;
      case NodeKind::literal:
        append_literal(out_, node);
        break;
      case NodeKind::any:
        out_ += (node.flags & kDotAll) != 0 ? kAnything : ".";
        break;
      case NodeKind::set:
        append_set(out_, node);
        break;
      case NodeKind::begin:
        out_ += (node.flags & kMultiline) != 0 ? "(?<![^\\n])" : "\\A";
        break;
      case NodeKind::end:
        out_ += (node.flags & kMultiline) != 0 ? "(?![^\\n])" : "\\Z";
        break;
      case NodeKind::absolute_end:
        out_ += "\\z";
        break;
      case NodeKind::word_boundary:
      case NodeKind::not_word_boundary:
        write_boundary(node);
        break;
      case NodeKind::sequence:
        for (const Node& child : node.children) write_part(child);
        break;
      case NodeKind::alternation:
        write_branches(node);
        break;
      case NodeKind::repeat:
        write_repeat(node);
        break;
      case NodeKind::group:
        write_group(node.group != 0 ? "(" : node.atomic ? "(?>" : "(?:", node);
        break;
      case NodeKind::lookahead:
        write_group(node.negated ? "(?!" : "(?=", node);
        break;
      case NodeKind::lookbehind:
        write_group(node.negated ? "(?<!" : "(?<=", node);
        break;
      case NodeKind::backreference:
        fmt::format_to(std::back_inserter(out_), "\\g{{{}}}", node.group);
        break;
      case NodeKind::conditional:
        fmt::format_to(std::back_inserter(out_), "(?({})", node.group);
        write_branches(node);
        out_ += ')';
        break;
    }
  }

 private:
  // Inside a sequence an alternation needs its own parentheses.
  void write_part(const Node& node) {
    const bool wrap = node.kind == NodeKind::alternation;
    if (wrap) out_ += "(?:";
    write(node);
    if (wrap) out_ += ')';
  }

  void write_branches(const Node& node) {
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      if (i != 0) out_ += '|';
      write_part(node.children[i]);
    }
  }

  void write_group(std::string_view open, const Node& node) {
    out_ += open;
    write(node.children.front());
    out_ += ')';
  }

  // X{2,} as X{2}X*: the repetitions that must be, then a loop of their own.
  void write_loop_apart(const Node& node) {
    const Node& item = node.children.front();
    write_repeated(item, false);
    fmt::format_to(std::back_inserter(out_), "{{{}}}", node.minimum);
    write_repeated(item, false);
    out_ += node.repeat == RepeatKind::lazy ? "*?" : "*";
  }

  void write_boundary(const Node& node) {
    const bool negated = node.kind == NodeKind::not_word_boundary;
    if ((node.flags & kAscii) != 0) {
      out_ += negated ? "\\B" : "\\b";
    } else {
      fmt::format_to(std::back_inserter(out_), "(?(?<={0})(?{1}{0})|(?{2}{0}))", word_set(),
                     negated ? '=' : '!', negated ? '!' : '=');
    }
    if (negated) out_ += "(?!\\A\\z)";  // in an empty subject Python's \B does not match
  }

  void write_repeat(const Node& node) {
    const Node& item = node.children.front();
    if (node.maximum == 0) {
      if (captures(item)) write_never(item);
    } else if (node.repeat == RepeatKind::possessive && !is_one_character(item)) {
      // Python never goes back into any one of the repetitions.
      out_ += "(?>";
      write_repeated(item, true);
      write_counts(node);
      out_ += ')';
    } else if (!repeats_alike(node)) {
      write_loop_apart(node);
    } else {
      write_repeated(item, false);
      write_counts(node);
      if (node.repeat == RepeatKind::lazy) out_ += '?';
      if (node.repeat == RepeatKind::possessive) out_ += '+';
    }
  }

  // Something that stands there for the numbers of its groups only.
  void write_never(const Node& item) {
    out_ += "(?:(?!)";
    write_part(item);
    out_ += "|)";
  }

  void write_repeated(const Node& item, bool atomic) {
    const bool bare = !atomic && (is_one_character(item) || item.kind == NodeKind::group);
    if (!bare) out_ += atomic ? "(?>" : "(?:";
    write(item);
    if (!bare) out_ += ')';
  }

  void write_counts(const Node& node) {
    if (node.minimum == 0 && node.maximum == kUnbounded) {
      out_ += '*';
    } else if (node.minimum == 1 && node.maximum == kUnbounded) {
      out_ += '+';
    } else if (node.minimum == 0 && node.maximum == 1) {
      out_ += '?';
    } else if (node.maximum == kUnbounded) {
      fmt::format_to(std::back_inserter(out_), "{{{},}}", node.minimum);
    } else {
      fmt::format_to(std::back_inserter(out_), "{{{},{}}}", node.minimum, node.maximum);
    }
  }

  std::string out_;
};

}  // namespace

std::string to_pcre2(const Syntax& syntax) {
  refuse_unsupported(syntax);
  Writer writer;
  writer.write(syntax.root);
  return writer.take();
}

}  // namespace keyshift::regex
