#include "transforms/located_json.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"

namespace keyshift {

namespace {

LocatedValue locate(json::Value& value) {
  LocatedValue out;
  out.kind = value.kind();
  out.offset = value.offset();
  switch (out.kind) {
    case json::Kind::object:
      value.members([&](const json::Key& key, json::Value& member) {
        out.members.push_back({std::string(key.text), key.offset, locate(member)});
      });
      break;
    case json::Kind::array:
      value.elements([&](json::Value& element) { out.elements.push_back(locate(element)); });
      break;
    case json::Kind::string:
      out.text = value.string();
      break;
    case json::Kind::number:
      out.text = value.number();
      break;
    case json::Kind::boolean:
      out.boolean = value.boolean();
      break;
    case json::Kind::null:
      value.null();
      break;
  }
  return out;
}

// Bytes of UTF-8 that the \u escape whose four digits begin at `digits` gives, and how long the escape is,
// the second half of a pair included.
struct Escape {
  std::size_t decoded, raw;
};

Escape unicode_escape(std::string_view digits) {
  const std::uint32_t unit =
      static_cast<std::uint32_t>(std::stoul(std::string(digits.substr(0, 4)), nullptr, 16));
  if (unit >= 0xD800 && unit < 0xE000) return {4, 12};
  return {unit < 0x80 ? 1U : unit < 0x800 ? 2U : 3U, 6};
}

}  // namespace

const LocatedValue::Member* LocatedValue::find(std::string_view name) const noexcept {
  const auto found =
      std::find_if(members.begin(), members.end(), [&](const Member& member) { return member.name == name; });
  return found == members.end() ? nullptr : &*found;
}

LocatedValue parse_located(std::string_view text, const std::string& file_name) {
  LocatedValue out;
  json::Document document(text, 0,
                          {.file = file_name,
                           .offset = 0,
                           .not_utf8 = ErrorKind::transform_file_invalid,
                           .not_json = ErrorKind::transform_file_invalid,
                           .excerpt = true});
  document.read([&](json::Value& value) { out = locate(value); });
  return out;
}

json::Node without_places(const LocatedValue& value) {
  json::Node out;
  out.kind = value.kind;
  out.boolean = value.boolean;
  out.text = value.text;
  for (const auto& element : value.elements) out.elements.push_back(without_places(element));
  for (const auto& member : value.members)
    out.members.emplace_back(member.name, without_places(member.value));
  return out;
}

std::string PlaceNames::operator()(std::uint64_t offset) {
  for (; counted_ < offset; ++counted_) {
    if (text_[counted_] != '\n') continue;
    ++line_;
    line_begin_ = counted_ + 1;
  }
  return fmt::format("{}:{}:{}", file_, line_, offset - line_begin_ + 1);
}

std::uint64_t place_in_string(std::string_view text, std::uint64_t offset, std::size_t decoded) noexcept {
  std::size_t raw = offset + 1;
  for (std::size_t done = 0; done < decoded && raw < text.size() && text[raw] != '"';) {
    if (text[raw] != '\\') {
      ++raw;
      ++done;
    } else if (text.substr(raw, 2) == "\\u") {
      const Escape escape = unicode_escape(text.substr(raw + 2));
      raw += escape.raw;
      done += escape.decoded;
    } else {
      raw += 2;
      ++done;
    }
  }
  return raw;
}

}  // namespace keyshift
