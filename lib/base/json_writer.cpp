#include "base/json_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/json.h"
#include "base/plain_bytes.h"
#include "base/utf8.h"

namespace keyshift::json {

namespace {

// The one-letter escape of a byte, or 0.
char short_escape(unsigned char byte) {
  switch (byte) {
    case '"':
    case '\\':
      return static_cast<char>(byte);
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return 0;
  }
}

void append_unicode_escape(std::string& out, char32_t codepoint) {
  const auto unit = [&out](char32_t value) {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<std::uint32_t>(value));
  };
  if (codepoint < 0x10000) return unit(codepoint);
  unit(0xD800 + ((codepoint - 0x10000) >> 10U));
  unit(0xDC00 + ((codepoint - 0x10000) & 0x3FFU));
}

// Escapes the character at the start of `text`, and returns its length in bytes.
std::size_t append_escape(std::string& out, std::string_view text) {
  if (const char letter = short_escape(static_cast<unsigned char>(text.front()))) {
    out.push_back('\\');
    out.push_back(letter);
    return 1;
  }
  const std::size_t length = std::max<std::size_t>(1, utf8::valid_length(text));
  append_unicode_escape(out, utf8::decode(text.substr(0, length)));
  return length;
}

}  // namespace

void append_string(std::string& out, std::string_view text, Escapes escapes) {
  out.push_back('"');
  for (std::size_t at = 0;;) {
    const std::string_view rest = text.substr(at);
    const std::size_t plain = escapes == Escapes::ascii ? plain_prefix<PlainBytes::ascii>(rest)
                                                        : plain_prefix<PlainBytes::utf8>(rest);
    out.append(rest.substr(0, plain));
    at += plain;
    if (at == text.size()) break;
    at += append_escape(out, text.substr(at));
  }
  out.push_back('"');
}

void Writer::new_line() {
  out_.push_back('\n');
  out_.append(has_items_.size() * static_cast<std::size_t>(indent_), ' ');
}

void Writer::before_value() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (has_items_.empty()) return;
  if (has_items_.back()) out_.push_back(',');
  has_items_.back() = true;
  if (indent_ > 0) new_line();
}

void Writer::close(char bracket) {
  const bool had_items = has_items_.back();
  has_items_.pop_back();
  if (had_items && indent_ > 0) new_line();
  out_.push_back(bracket);
}

Writer& Writer::begin_object() {
  before_value();
  out_.push_back('{');
  has_items_.push_back(false);
  return *this;
}

Writer& Writer::end_object() {
  close('}');
  return *this;
}

Writer& Writer::begin_array() {
  before_value();
  out_.push_back('[');
  has_items_.push_back(false);
  return *this;
}

Writer& Writer::end_array() {
  close(']');
  return *this;
}

Writer& Writer::key(std::string_view name) {
  before_value();
  append_string(out_, name, escapes_);
  out_.append(indent_ > 0 ? ": " : ":");
  after_key_ = true;
  return *this;
}

Writer& Writer::string(std::string_view text) {
  before_value();
  append_string(out_, text, escapes_);
  return *this;
}

Writer& Writer::raw(std::string_view json) {
  before_value();
  out_.append(json);
  return *this;
}

Writer& Writer::number(std::uint64_t value) { return raw(fmt::format_int(value).c_str()); }
Writer& Writer::number(std::int64_t value) { return raw(fmt::format_int(value).c_str()); }
Writer& Writer::number(double value) { return raw(fmt::format("{}", value)); }
Writer& Writer::boolean(bool value) { return raw(value ? "true" : "false"); }
Writer& Writer::null() { return raw("null"); }

Writer& Writer::node(const Node& value, bool sort_keys) {
  switch (value.kind) {
    case Kind::object: {
      std::vector<const std::pair<std::string, Node>*> members;
      for (const auto& member : value.members) members.push_back(&member);
      if (sort_keys) {
        // UTF-8 sorts by bytes as its code points do.
        std::sort(members.begin(), members.end(), [](auto* a, auto* b) { return a->first < b->first; });
      }
      begin_object();
      for (const auto* member : members) key(member->first).node(member->second, sort_keys);
      return end_object();
    }
    case Kind::array:
      begin_array();
      for (const Node& element : value.elements) node(element, sort_keys);
      return end_array();
    case Kind::string:
      return string(value.text);
    case Kind::number:
      return raw(value.text);
    case Kind::boolean:
      return boolean(value.boolean);
    case Kind::null:
      return null();
  }
  return *this;
}

}  // namespace keyshift::json
