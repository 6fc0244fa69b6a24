// Strict JSON, read in place through simdjson (its one owner is json.cpp).
//
// simdjson finds the tokens (and checks UTF-8 and control characters in strings); its on-demand reader walks
// them, but lets much pass in what nobody looks at. So here every value is looked at.
//
// The verdict is that of serde_json, which decides what the safetensors library accepts (FORMAT.md, F5): one
// value, only the four white-space bytes, no lone surrogates, numbers by the grammar and within f64 (unless
// the Source says otherwise), at most 127 levels. Every value is checked, also those that nobody reads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/function_ref.h"

namespace keyshift::json {

enum class Kind : std::uint8_t { object, array, string, number, boolean, null };
std::string_view name(Kind kind) noexcept;  // "an object", "a string" …

/// A member's name, unescaped. Where it holds no escape `text` points into the parsed text itself
/// (`in_source`), so it lives as long as that; else it lives as long as the Document.
struct Key {
  std::string_view text;
  std::uint64_t offset = 0;  // bytes from the start of the file to the opening quote
  bool in_source = false;
};

class Document;

/// One value, read forward only and at most once: call exactly one of the readers below, the one of its
/// kind(). A value that is not read is checked and skipped by whoever handed it out.
class Value {
 public:
  Kind kind();
  /// Bytes from the start of the file to the value's first character.
  std::uint64_t offset();

  /// Calls `visit` for each member in text order, repeated names included. Throws the document's "not JSON"
  /// error.
  void members(function_ref<void(const Key&, Value&)> visit);
  void elements(function_ref<void(Value&)> visit);
  /// Unescaped; lives as long as Key::text says.
  std::string_view string();
  /// An integer literal 0 … 2^64-1 without sign, fraction or exponent; nullopt for any other number (checked
  /// all the same).
  std::optional<std::uint64_t> u64();
  /// The literal as it stands in the text.
  std::string_view number();
  bool boolean();
  void null();
  /// Checks the value and everything below it, whatever its kind.
  void skip();

  /// An Error of `kind` at this value's place in the file, with an excerpt if the Document shows them.
  Error error(ErrorKind kind, std::string message);
  bool was_read() const noexcept { return read_; }

 private:
  friend class Document;
  friend struct Access;
  Value(Document* document, int depth) noexcept : document_(document), depth_(depth) {}

  Document* document_;
  alignas(8) std::array<std::byte, 24> value_{};  // a simdjson::ondemand::value, unless it is the root
  int depth_;                                     // containers around it
  bool is_root_ = false;
  bool read_ = false;
};

/// How errors of the text are to be told.
struct Source {
  std::string file{};
  std::uint64_t offset = 0;  // bytes: where the text begins in the file
  ErrorKind not_utf8 = ErrorKind::header_not_utf8;
  ErrorKind not_json = ErrorKind::header_not_json;
  bool excerpt = false;       // line, column and caret instead of a byte offset
  bool huge_numbers = false;  // numbers beyond f64 pass, as in Python's json
};

/// Parses `text`, which must outlive the Document; it is copied if `readable_after` (bytes that may be read
/// behind it, whatever they hold) is below 64, or if the byte behind it could be taken for the text's own.
/// Throws Source::not_utf8 or Source::not_json.
class Document {
 public:
  Document(std::string_view text, std::size_t readable_after, Source source);
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;
  ~Document();

  /// Reads the one value that the text holds; what `read` leaves unread is checked, and nothing may follow
  /// it.
  void read(function_ref<void(Value&)> read);

 private:
  friend class Value;
  friend struct Access;
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

/// A small document as a tree, for what is not worth a reader of its own (index metadata, receipts, side
/// files).
struct Node {
  Kind kind = Kind::null;
  bool boolean = false;
  std::string text;  // string: unescaped; number: the literal
  std::vector<Node> elements;
  std::vector<std::pair<std::string, Node>>
      members;  // text order; a repeated name keeps its first place, last value

  const Node* find(std::string_view name) const noexcept;
};
/// Depth is bounded by the Document's. Errors: the document's "not JSON" error.
Node to_node(Value& value);
/// Parses a whole small text; copies it. Errors: as Document.
Node parse(std::string_view text, Source source);

}  // namespace keyshift::json
