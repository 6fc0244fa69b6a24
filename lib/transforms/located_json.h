// A small JSON text as a tree in which everything knows its place, so that a rule can be refused at the very
// character that breaks it, whenever that is noticed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"

namespace keyshift {

struct LocatedValue {
  struct Member;

  json::Kind kind = json::Kind::null;
  std::uint64_t offset = 0;  // bytes into the text, to the value's first character
  bool boolean = false;
  std::string text;  // string: unescaped; number: the literal
  std::vector<LocatedValue> elements;
  std::vector<Member> members;  // text order, repeated names included

  const Member* find(std::string_view name) const noexcept;  // the first of that name
};

struct LocatedValue::Member {
  std::string name;
  std::uint64_t offset = 0;  // to the name's opening quote
  LocatedValue value;
};

/// Parses `text`. Errors: transform_file_invalid with line, column and caret (not UTF-8, not JSON).
LocatedValue parse_located(std::string_view text, const std::string& file_name);

/// "rules.json:4:3" for places that are asked for from front to back, so that every line is counted once.
class PlaceNames {
 public:
  /// Borrows both.
  PlaceNames(std::string_view text, const std::string& file_name) : text_(text), file_(file_name) {}
  std::string operator()(std::uint64_t offset);

 private:
  std::string_view text_;
  const std::string& file_;
  std::uint64_t line_begin_ = 0, line_ = 1, counted_ = 0;  // how far lines were counted
};

/// The same value without places.
json::Node without_places(const LocatedValue& value);

/// Where the byte `decoded` of a string's value stands in `text`, in which the string's opening quote is at
/// `offset`: escapes take more bytes there than in the value.
std::uint64_t place_in_string(std::string_view text, std::uint64_t offset, std::size_t decoded) noexcept;

}  // namespace keyshift
