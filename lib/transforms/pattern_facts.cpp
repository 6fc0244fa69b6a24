// Texts that a match must hold, and where it must begin.
#include "transforms/pattern_facts.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "base/utf8.h"
#include "transforms/digit_blindness.h"

namespace keyshift::regex {

namespace {

using Texts = std::vector<std::string>;
constexpr std::size_t kMostPrefixes = 64;
constexpr std::size_t kMostLiterals = 4096;

bool is_surrogate(char32_t c) { return c >= 0xD800 && c <= 0xDFFF; }

// No other character is a case of it, in any flavour of ignoring case.
bool has_no_case(char32_t c) { return c < 0x80 && !((c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z')); }

void tidy(Texts& texts) {
  std::sort(texts.begin(), texts.end());
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
}

// The longest part of a literal that must be there as it is written.
std::string fixed_part(const Node& literal) {
  const bool ignore_case = (literal.flags & kIgnoreCase) != 0;
  std::string best, run;
  for (const char32_t c : literal.text) {
    if (ignore_case && !has_no_case(c)) {
      run.clear();
      continue;
    }
    utf8::append(run, c);
    if (run.size() > best.size()) best = run;
  }
  return best;
}

bool never_matches(const Node& literal) {
  return std::any_of(literal.text.begin(), literal.text.end(), is_surrogate);
}

std::size_t shortest(const Texts& texts) {
  std::size_t length = std::string::npos;  // of no text at all: nothing matches, which is worth most
  for (const std::string& text : texts) length = std::min(length, text.size());
  return length;
}

bool is_better(const std::optional<Texts>& a, const std::optional<Texts>& b) {
  if (!a || !b) return a.has_value() && !b.has_value();
  if (shortest(*a) != shortest(*b)) return shortest(*a) > shortest(*b);
  return a->size() < b->size();
}

std::optional<Texts> required(const Node& node);

std::optional<Texts> best_of(const std::vector<Node>& parts) {
  std::optional<Texts> best;
  for (const Node& part : parts) {
    auto texts = required(part);
    if (is_better(texts, best)) best = std::move(texts);
  }
  return best;
}

std::optional<Texts> union_of(const std::vector<Node>& branches) {
  Texts all;
  for (const Node& branch : branches) {
    auto texts = required(branch);
    if (!texts || all.size() + texts->size() > kMostLiterals) return std::nullopt;
    std::move(texts->begin(), texts->end(), std::back_inserter(all));
  }
  tidy(all);
  return all;
}

std::optional<Texts> required(const Node& node) {
  switch (node.kind) {
    case NodeKind::literal: {
      if (never_matches(node)) return Texts{};
      std::string text = fixed_part(node);
      if (text.empty()) return std::nullopt;
      return Texts{std::move(text)};
    }
    case NodeKind::sequence:
      return best_of(node.children);
    case NodeKind::alternation:
      return union_of(node.children);
    case NodeKind::conditional:
      if (node.children.size() < 2) return std::nullopt;
      return union_of(node.children);
    case NodeKind::repeat:
      if (node.minimum == 0) return std::nullopt;
      return required(node.children.front());
    case NodeKind::group:
      return required(node.children.front());
    case NodeKind::lookahead:
    case NodeKind::lookbehind:  // what they see is in the subject too
      if (node.negated) return std::nullopt;
      return required(node.children.front());
    default:
      return std::nullopt;
  }
}

bool consumes_nothing(const Node& node) {
  switch (node.kind) {
    case NodeKind::empty:
    case NodeKind::begin:
    case NodeKind::end:
    case NodeKind::absolute_end:
    case NodeKind::word_boundary:
    case NodeKind::not_word_boundary:
    case NodeKind::lookahead:
    case NodeKind::lookbehind:
      return true;
    default:
      return false;
  }
}

bool anchored(const Node& node) {
  switch (node.kind) {
    case NodeKind::begin:
      return (node.flags & kMultiline) == 0;
    case NodeKind::sequence:
      for (const Node& child : node.children) {
        if (anchored(child)) return true;
        if (!consumes_nothing(child)) return false;
      }
      return false;
    case NodeKind::alternation:
      return std::all_of(node.children.begin(), node.children.end(), anchored);
    case NodeKind::repeat:
      return node.minimum > 0 && anchored(node.children.front());
    case NodeKind::group:
      return anchored(node.children.front());
    case NodeKind::lookahead:
      return !node.negated && anchored(node.children.front());
    default:
      return false;
  }
}

// What the text that a node takes begins with; `complete` if it is no more than one of these.
struct Prefixes {
  Texts texts{""};
  bool complete = false;
};

Prefixes prefixes(const Node& node);

Prefixes prefixes_of_literal(const Node& node) {
  if (never_matches(node)) return {};
  Prefixes found;
  for (const char32_t c : node.text) {
    if ((node.flags & kIgnoreCase) != 0 && !has_no_case(c)) return found;
    utf8::append(found.texts.front(), c);
  }
  found.complete = true;
  return found;
}

Prefixes prefixes_of_sequence(const Node& node) {
  Prefixes found{{""}, true};
  for (const Node& child : node.children) {
    const Prefixes next = prefixes(child);
    if (found.texts.size() * next.texts.size() > kMostPrefixes) return {std::move(found.texts), false};
    Texts joined;
    for (const std::string& head : found.texts) {
      for (const std::string& tail : next.texts) joined.push_back(head + tail);
    }
    found = {std::move(joined), next.complete};
    if (!found.complete) break;
  }
  return found;
}

Prefixes prefixes_of_branches(const Node& node) {
  Prefixes found{{}, true};
  for (const Node& branch : node.children) {
    Prefixes next = prefixes(branch);
    if (found.texts.size() + next.texts.size() > kMostPrefixes) return {};
    std::move(next.texts.begin(), next.texts.end(), std::back_inserter(found.texts));
    found.complete = found.complete && next.complete;
  }
  return found;
}

Prefixes prefixes(const Node& node) {
  if (consumes_nothing(node)) return {{""}, true};
  switch (node.kind) {
    case NodeKind::literal:
      return prefixes_of_literal(node);
    case NodeKind::sequence:
      return prefixes_of_sequence(node);
    case NodeKind::alternation:
      return prefixes_of_branches(node);
    case NodeKind::group:
      return prefixes(node.children.front());
    case NodeKind::repeat: {
      if (node.minimum == 0) return {};
      Prefixes found = prefixes(node.children.front());
      found.complete = found.complete && node.maximum == 1;
      return found;
    }
    default:
      return {};
  }
}

}  // namespace

PatternFacts facts_of(const Syntax& syntax) {
  PatternFacts facts;
  facts.required_literals = required(syntax.root);
  facts.anchored_at_start = anchored(syntax.root);
  Texts starts = prefixes(syntax.root).texts;
  tidy(starts);
  if (std::find(starts.begin(), starts.end(), "") == starts.end()) facts.prefixes = std::move(starts);
  facts.tells_digits_apart = tells_digits_apart(syntax.root);
  return facts;
}

}  // namespace keyshift::regex
