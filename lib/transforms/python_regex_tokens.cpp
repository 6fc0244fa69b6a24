#include <algorithm>

#include "base/utf8.h"
#include "transforms/python_regex_parser.h"

namespace keyshift::regex {

std::string Token::text() const {
  std::string out(kind == Kind::escape ? 1 : 0, '\\');
  if (kind != Kind::end) utf8::append(out, c);
  return out;
}

Tokens::Tokens(std::string_view pattern) {
  text_.reserve(pattern.size());
  bytes_.reserve(pattern.size() + 1);
  for (std::size_t i = 0; i < pattern.size();) {
    const std::size_t length = utf8::valid_length(pattern.substr(i));
    if (length == 0) throw SyntaxError{i, "the pattern is not UTF-8"};
    text_.push_back(utf8::decode(pattern.substr(i, length)));
    bytes_.push_back(i);
    i += length;
  }
  bytes_.push_back(pattern.size());
  advance();
}

void Tokens::advance() {
  if (index_ >= text_.size()) {
    next_ = {};
    return;
  }
  next_ = {Token::Kind::character, text_[index_]};
  if (next_.c == U'\\') {
    if (index_ + 1 >= text_.size()) fail_at(text_.size() - 1, "bad escape (end of pattern)");
    next_ = {Token::Kind::escape, text_[++index_]};
  }
  ++index_;
}

Token Tokens::take() {
  const Token token = next_;
  advance();
  return token;
}

bool Tokens::take_if(char32_t c) {
  if (!next_.is(c)) return false;
  advance();
  return true;
}

std::u32string Tokens::take_while(std::size_t most, std::u32string_view set) {
  std::u32string taken;
  while (taken.size() < most && next_.is_one_of(set)) taken.push_back(take().c);
  return taken;
}

std::u32string Tokens::take_until(char32_t terminator, std::string_view what) {
  std::u32string taken;
  for (;;) {
    const Token token = take();
    if (token.at_end()) {
      if (taken.empty()) fail("missing " + std::string(what));
      fail("missing " + to_utf8({&terminator, 1}) + ", unterminated name", taken.size());
    }
    if (token.is(terminator)) {
      if (taken.empty()) fail("missing " + std::string(what), 1);
      return taken;
    }
    if (token.kind == Token::Kind::escape) taken.push_back(U'\\');
    taken.push_back(token.c);
  }
}

void Tokens::go_back(std::size_t position) {
  index_ = position;
  advance();
}

void Tokens::fail_at(std::size_t position, std::string message) const {
  throw SyntaxError{bytes_[std::min(position, text_.size())], std::move(message)};
}

std::string to_utf8(std::u32string_view text) {
  std::string out;
  for (const char32_t c : text) utf8::append(out, c);
  return out;
}

std::string repr(std::u32string_view text) {
  const bool has_single = text.find(U'\'') != std::u32string_view::npos;
  const char quote = has_single && text.find(U'"') == std::u32string_view::npos ? '"' : '\'';
  std::string out(1, quote);
  for (const char32_t c : text) {
    constexpr std::string_view kHexadecimal = "0123456789abcdef";
    if (c == U'\\' || c == static_cast<unsigned char>(quote)) {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == U'\n' || c == U'\r' || c == U'\t') {
      out += c == U'\n' ? "\\n" : c == U'\r' ? "\\r" : "\\t";
    } else if (c < 0x20 || c == 0x7F) {
      out += "\\x";
      out += kHexadecimal[c >> 4U];
      out += kHexadecimal[c & 15U];
    } else {
      utf8::append(out, c);
    }
  }
  return out + quote;
}

}  // namespace keyshift::regex
