#include <fmt/format.h>

#include <cstring>

#include "base/huge_pages.h"
#include "base/json.h"
#include "base/utf8.h"
#include "tools/commands/rename.h"

namespace keyshift::tools {

namespace {

constexpr std::size_t kBlock = 1U << 20U;  // bytes asked for at once
constexpr const char* kInputName = "standard input";

Error line_error(ErrorKind kind, const std::string& name, std::size_t line, std::string_view what) {
  return Error(kind, std::string(what)).in(fmt::format("{}:{}", name, line));
}

}  // namespace

std::string read_all(Input& in, const Interrupt& interrupt) {
  // Whatever a file says of its size, no more is taken at once than this.
  constexpr std::uint64_t kMostExpected = std::uint64_t{1} << 30U;
  std::string text;
  text.reserve(std::min(in.expected(), kMostExpected) + 1);
  prefer_huge_pages(text.data(), text.capacity());
  text.resize(text.capacity());
  std::size_t used = 0;
  while (true) {
    if (used == text.size()) text.resize(text.size() + std::max(text.size(), kBlock));
    const std::size_t got = in.read({text.data() + used, text.size() - used});
    interrupt.check();
    if (got == 0) break;
    used += got;
  }
  text.resize(used);
  return text;
}

KeyList keys_of_lines(std::string text, const std::string& name) {
  KeyList list;
  list.text = std::make_unique<const std::string>(std::move(text));
  const std::string_view all = *list.text;
  const auto line_of = [&](std::size_t at) {
    return static_cast<std::size_t>(
               std::count(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(at), '\n')) +
           1;
  };
  if (const std::size_t at = utf8::find_invalid(all); at != std::string_view::npos) {
    throw line_error(ErrorKind::key_not_utf8, name, line_of(at), "the key is not valid UTF-8");
  }
  if (const std::size_t at = all.find('\t'); at != std::string_view::npos) {
    throw line_error(ErrorKind::entry_invalid, name, line_of(at),
                     "the key holds a tab, which separates old and new keys in the output; use --json");
  }
  list.keys.reserve(all.size() / 32);
  prefer_huge_pages(list.keys.data(), list.keys.capacity() * sizeof(list.keys[0]));
  const char* at = all.data();
  for (const char* const all_end = at + all.size(); at != all_end;) {
    const auto* newline =
        static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(all_end - at)));
    const char* const end = newline != nullptr ? newline : all_end;
    list.keys.emplace_back(at, static_cast<std::size_t>(end - at));
    if (end != at && end[-1] == '\r') {
      throw line_error(
          ErrorKind::entry_invalid, name, list.keys.size(),
          "the line ends in CR LF; take the CR away (tr -d '\\r'), or use --json if it is part of the key");
    }
    at = newline != nullptr ? end + 1 : end;
  }
  return list;
}

KeyList keys_of_json(std::string text) {
  KeyList list;
  struct Piece {
    std::size_t begin, size;
  };
  json::Document document(text, 0,
                          {kInputName, 0, ErrorKind::key_not_utf8, ErrorKind::header_not_json, true});
  std::vector<std::string_view> found;
  std::string copies;  // the document's own memory ends with it
  std::vector<Piece> pieces;
  document.read([&](json::Value& array) {
    if (array.kind() != json::Kind::array) {
      throw array.error(ErrorKind::entry_invalid,
                        "expected a JSON array of keys, found " + std::string(json::name(array.kind())));
    }
    array.elements([&](json::Value& element) {
      if (element.kind() != json::Kind::string) {
        throw element.error(ErrorKind::entry_invalid,
                            "expected a key, a string, found " + std::string(json::name(element.kind())));
      }
      const std::string_view key = element.string();
      pieces.push_back({copies.size(), key.size()});
      copies += key;
    });
  });
  list.text = std::make_unique<const std::string>(std::move(copies));
  list.keys.reserve(pieces.size());
  for (const Piece& piece : pieces)
    list.keys.push_back(std::string_view(*list.text).substr(piece.begin, piece.size));
  return list;
}

}  // namespace keyshift::tools
