// JSON out: the escapes of serde_json (raw UTF-8) or of Python's json.dumps (ASCII), compact or indented.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace keyshift::json {

struct Node;

enum class Escapes : std::uint8_t {
  raw_utf8,  // as serde_json: only ", \ and control characters below 0x20 are escaped
  ascii,     // as Python's json.dumps: everything outside printable ASCII is \uXXXX in lower case, in pairs
             // above U+FFFF
};

/// Appends `text` (valid UTF-8) as a JSON string with its quotes.
void append_string(std::string& out, std::string_view text, Escapes escapes = Escapes::raw_utf8);

/// Builds one JSON text into a string it owns. Calls must nest as JSON does; key() before every member's
/// value.
class Writer {
 public:
  /// `indent`: spaces per level, with ": " and line ends as Python's json.dumps(indent=…) writes them; 0 is
  /// compact.
  explicit Writer(int indent = 0, Escapes escapes = Escapes::raw_utf8) : indent_(indent), escapes_(escapes) {}

  Writer& begin_object();
  Writer& end_object();
  Writer& begin_array();
  Writer& end_array();
  Writer& key(std::string_view name);
  Writer& string(std::string_view text);
  Writer& number(std::uint64_t value);
  Writer& number(std::int64_t value);
  Writer& number(double value);  // shortest text that reads back as the same value
  Writer& boolean(bool value);
  Writer& null();
  /// `json`: a JSON text that is put in as it is.
  Writer& raw(std::string_view json);
  /// `sort_keys` as Python's json.dumps does it: by code point.
  Writer& node(const Node& value, bool sort_keys = false);

  std::string& text() noexcept { return out_; }
  const std::string& text() const noexcept { return out_; }

 private:
  void before_value();
  void close(char bracket);
  void new_line();

  std::string out_;
  std::vector<bool> has_items_;
  int indent_;
  Escapes escapes_;
  bool after_key_ = false;
};

}  // namespace keyshift::json
