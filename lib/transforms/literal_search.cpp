#include "transforms/literal_search.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "base/utf8.h"
#include "transforms/unicode_characters.h"

namespace keyshift::regex {

namespace {

// Unlike string_view::find, memmem takes linear time whatever the texts.
std::size_t find_text(std::string_view subject, std::string_view text, std::size_t from) {
  if (from >= subject.size()) return std::string_view::npos;
  const void* found = ::memmem(subject.data() + from, subject.size() - from, text.data(), text.size());
  if (found == nullptr) return std::string_view::npos;
  return static_cast<std::size_t>(static_cast<const char*>(found) - subject.data());
}

bool is_literal(const Node& node) {
  return node.kind == NodeKind::literal && (node.flags & kIgnoreCase) == 0 &&
         std::none_of(node.text.begin(), node.text.end(),
                      [](char32_t c) { return c >= 0xD800 && c <= 0xDFFF; });
}

bool is_no_word_ahead(const Node& node) {
  if (node.kind != NodeKind::lookahead || !node.negated) return false;
  const Node& set = node.children.front();
  return set.kind == NodeKind::set && !set.negated && (set.flags & kAscii) == 0 && set.items.size() == 1 &&
         set.items.front().category == 'w';
}

}  // namespace

std::optional<LiteralSearch> LiteralSearch::from(const Syntax& syntax) {
  const Node* inner = &syntax.root;
  while (inner->kind == NodeKind::group) inner = &inner->children.front();
  const bool is_sequence = inner->kind == NodeKind::sequence;
  std::span<const Node> parts(is_sequence ? inner->children.data() : inner,
                              is_sequence ? inner->children.size() : 1);

  LiteralSearch search;
  if (parts.front().kind == NodeKind::begin && (parts.front().flags & kMultiline) == 0) {
    search.at_start_ = true;
    parts = parts.subspan(1);
  }
  if (!parts.empty() && is_no_word_ahead(parts.back())) {
    search.at_word_end_ = true;
    parts = parts.first(parts.size() - 1);
  }
  if (parts.size() != 1 || !is_literal(parts.front())) return std::nullopt;
  for (const char32_t c : parts.front().text) utf8::append(search.text_, c);
  return search;
}

std::size_t LiteralSearch::find(std::string_view subject, std::size_t from) const noexcept {
  if (at_start_)
    return from == 0 && subject.starts_with(text_) && matches_at(subject, 0) ? 0 : std::string_view::npos;
  std::size_t begin = find_text(subject, text_, from);
  while (begin != std::string_view::npos && !matches_at(subject, begin))
    begin = find_text(subject, text_, begin + 1);
  return begin;
}

// The text is known to be there.
bool LiteralSearch::matches_at(std::string_view subject, std::size_t begin) const noexcept {
  const std::string_view rest = subject.substr(begin + text_.size());
  return !at_word_end_ || rest.empty() || !is_word_character(utf8::decode(rest));
}

}  // namespace keyshift::regex
