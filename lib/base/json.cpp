#include "base/json.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <bit>
#include <cassert>
#include <cstring>
#include <new>
#include <type_traits>

#include "base/json_fault.h"
#include "base/json_number.h"
#include "base/utf8.h"

namespace keyshift::json {

namespace ondemand = simdjson::ondemand;

namespace {

constexpr int kMaxDepth = 127;  // as serde_json

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// simdjson looks at the byte behind the text where something is not closed; one of these would lead it on.
bool continues(char behind) { return behind == ',' || behind == ']' || behind == '}'; }

// simdjson's tokens reach to the next token.
std::string_view without_blanks_behind(std::string_view token) {
  while (!token.empty() && is_blank(token.back())) token.remove_suffix(1);
  return token;
}

// The bytes of `word` that are `byte`, as their upper bits; the lowest that is set is right, which is all
// that is asked.
std::uint64_t bytes_equal(std::uint64_t word, char byte) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  const std::uint64_t difference = word ^ (kOnes * static_cast<unsigned char>(byte));
  return (difference - kOnes) & ~difference & (kOnes << 7U);
}

// Eight bytes at a time: reads up to 7 bytes behind what it finds.
const char* find_quote_or_backslash(const char* at) {
  static_assert(std::endian::native == std::endian::little);
  while (true) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof(word));
    const std::uint64_t found = bytes_equal(word, '"') | bytes_equal(word, '\\');
    if (found != 0) return at + std::countr_zero(found) / 8;
    at += sizeof(word);
  }
}

}  // namespace

struct Document::Parser {
  std::string_view text;
  Source source;
  std::string padded;          // a copy of the text, where it could not be parsed in place
  const char* base = nullptr;  // what simdjson reads: the text or its copy
  ondemand::parser tokens;
  ondemand::document document;

  Error error(ErrorKind kind, std::size_t offset, std::string message) const {
    if (source.excerpt) return Error(kind, std::move(message)).in(source.file).showing(text, offset);
    return Error(kind, std::move(message)).in(source.file).at(source.offset + offset);
  }
  [[noreturn]] void fail(std::size_t offset, std::string_view what) const {
    throw error(source.not_json, std::min(offset, text.size()), fmt::format("is not JSON: {}", what));
  }

  std::size_t offset_of(const char* place) const { return static_cast<std::size_t>(place - base); }
  // The token that simdjson stumbled over.
  std::size_t current_offset() {
    const char* place = nullptr;
    return document.current_location().get(place) ? text.size() : std::min(offset_of(place), text.size());
  }
  [[noreturn]] void fail_at_start(simdjson::error_code code);
  [[noreturn]] void fail_in_object();
  [[noreturn]] void fail_in_array();

  void start();
  std::string_view check_unescaped(simdjson::simdjson_result<std::string_view>&& unescaped,
                                   std::size_t offset);
  Kind kind_at(std::string_view token) const;
  // The content of the string that begins at `opening` if it holds no escape.
  std::optional<std::string_view> plain_string(std::size_t opening) const;
};

void Document::Parser::start() {
  const auto code = tokens.iterate(base, text.size(), text.size() + simdjson::SIMDJSON_PADDING).get(document);
  if (code == simdjson::SUCCESS) return;
  if (code == simdjson::MEMALLOC) throw std::bad_alloc();
  if (const std::size_t invalid = utf8::find_invalid(text); invalid != std::string_view::npos) {
    throw error(source.not_utf8, invalid, "is not UTF-8 here; the file is damaged or of another format");
  }
  const Fault fault = find_token_fault(text);
  fail(fault.offset, fault.message);
}

// The root's own opening failed.
void Document::Parser::fail_at_start(simdjson::error_code code) {
  if (code == simdjson::INCOMPLETE_ARRAY_OR_OBJECT) {
    const Fault fault = find_open_end(text);
    fail(fault.offset, fault.message);
  }
  fail(current_offset(), simdjson::error_message(code));
}

void Document::Parser::fail_in_object() {
  const std::size_t offset = current_offset();
  std::size_t before = offset;
  while (before > 0 && is_blank(text[before - 1])) --before;
  if (offset >= text.size()) fail(offset, "it ends inside an object");
  const char last = before > 0 ? text[before - 1] : '{';
  fail(offset, last == '{' || last == ',' ? "a name in double quotes was expected"
                                          : "a colon, a comma or } was expected");
}

void Document::Parser::fail_in_array() {
  const std::size_t offset = current_offset();
  fail(offset, offset >= text.size() ? "it ends inside an array" : "a comma or ] was expected");
}

std::string_view Document::Parser::check_unescaped(simdjson::simdjson_result<std::string_view>&& unescaped,
                                                   std::size_t offset) {
  std::string_view string;
  // A lone surrogate comes out as bytes that are not UTF-8.
  if (std::move(unescaped).get(string) || utf8::find_invalid(string) != std::string_view::npos) {
    fail(offset, "the string that begins here holds an escape that means nothing");
  }
  return string;
}

Kind Document::Parser::kind_at(std::string_view token) const {
  switch (token.empty() ? '\0' : token[0]) {
    case '{':
      return Kind::object;
    case '[':
      return Kind::array;
    case '"':
      return Kind::string;
    case 't':
    case 'f':
      return Kind::boolean;
    case 'n':
      return Kind::null;
    case '-':
      return Kind::number;
    default:
      if (!token.empty() && token[0] >= '0' && token[0] <= '9') return Kind::number;
      fail(offset_of(token.data()), "a value was expected");
  }
}

std::optional<std::string_view> Document::Parser::plain_string(std::size_t opening) const {
  const char* begin = base + opening + 1;
  // The closing quote was seen by simdjson, so the search ends; it may look into the padding.
  const char* end = find_quote_or_backslash(begin);
  if (*end == '\\') return std::nullopt;
  return text.substr(opening + 1, static_cast<std::size_t>(end - begin));
}

// What Value and Document share, kept out of the header.
struct Access {
  static_assert(sizeof(ondemand::value) <= sizeof(Value::value_) &&
                std::is_trivially_destructible_v<ondemand::value>);

  static ondemand::value& simd(Value& value) {
    return *std::launder(reinterpret_cast<ondemand::value*>(value.value_.data()));
  }
  static Document::Parser& parser(Value& value) { return *value.document_->parser_; }

  static Value child(Value& parent, ondemand::value simd) {
    Value value(parent.document_, parent.depth_ + 1);
    new (value.value_.data()) ondemand::value(simd);
    return value;
  }

  static std::string_view token(Value& value) {
    if (!value.is_root_) return simd(value).raw_json_token();
    std::string_view token;
    if (parser(value).document.raw_json_token().get(token)) return {};
    return token;
  }

  // A scalar's token, exactly one; the root must be the last.
  static std::string_view scalar(Value& value) {
    value.read_ = true;
    const std::string_view token = Access::token(value);
    const Document::Parser& parser = Access::parser(value);
    const std::size_t end = parser.offset_of(token.data()) + token.size();
    if (value.is_root_ && end != parser.text.size()) parser.fail(end, "something follows the value");
    return without_blanks_behind(token);
  }

  static void enter(Value& value) {
    value.read_ = true;
    if (value.depth_ >= kMaxDepth) {
      parser(value).fail(local_offset(value), "it is nested deeper than 127 levels");
    }
  }

  static std::size_t local_offset(Value& value) { return parser(value).offset_of(token(value).data()); }

  static void visit_field(Value& object, simdjson::simdjson_result<ondemand::field> result,
                          function_ref<void(const Key&, Value&)> visit) {
    Document::Parser& parser = Access::parser(object);
    ondemand::field field;
    if (std::move(result).get(field)) parser.fail_in_object();
    Key key;
    const std::size_t opening = parser.offset_of(field.key().raw()) - 1;
    key.offset = parser.source.offset + opening;
    if (const auto plain = parser.plain_string(opening)) {
      key.text = *plain;
      key.in_source = true;
    } else {
      key.text = parser.check_unescaped(field.unescaped_key(), opening);
    }
    Value member = child(object, field.value());
    visit(key, member);
    if (!member.read_) member.skip();
  }
};

Kind Value::kind() { return Access::parser(*this).kind_at(Access::token(*this)); }

std::uint64_t Value::offset() { return Access::parser(*this).source.offset + Access::local_offset(*this); }

void Value::members(function_ref<void(const Key&, Value&)> visit) {
  assert(kind() == Kind::object);
  Access::enter(*this);
  Document::Parser& parser = Access::parser(*this);
  ondemand::object object;
  const auto code =
      is_root_ ? parser.document.get_object().get(object) : Access::simd(*this).get_object().get(object);
  if (code) parser.fail_at_start(code);
  ondemand::object_iterator at, end;
  if (object.begin().get(at) || object.end().get(end)) parser.fail_in_object();
  for (; at != end; ++at) Access::visit_field(*this, *at, visit);
}

void Value::elements(function_ref<void(Value&)> visit) {
  assert(kind() == Kind::array);
  Access::enter(*this);
  Document::Parser& parser = Access::parser(*this);
  ondemand::array array;
  const auto code =
      is_root_ ? parser.document.get_array().get(array) : Access::simd(*this).get_array().get(array);
  if (code) parser.fail_at_start(code);
  ondemand::array_iterator at, end;
  if (array.begin().get(at) || array.end().get(end)) parser.fail_in_array();
  for (; at != end; ++at) {
    ondemand::value simd;
    if ((*at).get(simd)) parser.fail_in_array();
    Value element = Access::child(*this, simd);
    visit(element);
    if (!element.read_) element.skip();
  }
}

std::string_view Value::string() {
  assert(kind() == Kind::string);
  Document::Parser& parser = Access::parser(*this);
  const std::size_t opening = parser.offset_of(Access::scalar(*this).data());
  const auto plain = parser.plain_string(opening);
  if (!plain) {
    return parser.check_unescaped(is_root_ ? parser.document.get_string() : Access::simd(*this).get_string(),
                                  opening);
  }
  // The token must be taken: simdjson would read a string that a colon follows as a name.
  if (!is_root_ && Access::simd(*this).get_raw_json_string().error()) parser.fail_in_array();
  return *plain;
}

std::string_view Value::number() {
  assert(kind() == Kind::number);
  const std::string_view token = Access::scalar(*this);
  const Document::Parser& parser = Access::parser(*this);
  const std::size_t offset = parser.offset_of(token.data());
  const NumberFault fault = check_number(token);
  if (fault == NumberFault::grammar) parser.fail(offset, fmt::format("{} is no number", quote(token, 40)));
  if (fault == NumberFault::out_of_range && !parser.source.huge_numbers) {
    parser.fail(offset, fmt::format("the number {} is out of range", quote(token, 40)));
  }
  return parser.text.substr(offset, token.size());
}

std::optional<std::uint64_t> Value::u64() {
  assert(kind() == Kind::number);
  if (const auto value = parse_u64(Access::scalar(*this))) return value;
  number();
  return std::nullopt;
}

bool Value::boolean() {
  assert(kind() == Kind::boolean);
  const std::string_view token = Access::scalar(*this);
  if (token == "true") return true;
  if (token == "false") return false;
  const Document::Parser& parser = Access::parser(*this);
  parser.fail(parser.offset_of(token.data()), "true or false was expected");
}

void Value::null() {
  assert(kind() == Kind::null);
  const std::string_view token = Access::scalar(*this);
  const Document::Parser& parser = Access::parser(*this);
  if (token != "null") parser.fail(parser.offset_of(token.data()), "null was expected");
}

void Value::skip() {
  switch (kind()) {
    case Kind::object:
      return members([](const Key&, Value& member) { member.skip(); });
    case Kind::array:
      return elements([](Value& element) { element.skip(); });
    case Kind::string:
      string();
      return;
    case Kind::number:
      number();
      return;
    case Kind::boolean:
      boolean();
      return;
    case Kind::null:
      return null();
  }
}

Error Value::error(ErrorKind kind, std::string message) {
  return Access::parser(*this).error(kind, Access::local_offset(*this), std::move(message));
}

Document::Document(std::string_view text, std::size_t readable_after, Source source)
    : parser_(std::make_unique<Parser>()) {
  parser_->text = text;
  parser_->source = std::move(source);
  parser_->base = text.data();
  if (readable_after < simdjson::SIMDJSON_PADDING || continues(text.data()[text.size()])) {
    parser_->padded.reserve(text.size() + simdjson::SIMDJSON_PADDING);
    parser_->padded.assign(text);
    parser_->padded.append(simdjson::SIMDJSON_PADDING, ' ');
    parser_->base = parser_->padded.data();
  }
  parser_->start();
}

Document::~Document() = default;

void Document::read(function_ref<void(Value&)> read) {
  Value root(this, 0);
  root.is_root_ = true;
  const Kind kind = root.kind();
  read(root);
  if (!root.read_) root.skip();
  // A scalar has seen to it by itself; behind an object or an array no token may be left.
  const bool at_end = parser_->document.current_location().error() == simdjson::OUT_OF_BOUNDS;
  if ((kind == Kind::object || kind == Kind::array) && !at_end) {
    parser_->fail(parser_->current_offset(), "something follows the value");
  }
}

}  // namespace keyshift::json
