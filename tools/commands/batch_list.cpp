#include "tools/commands/batch_list.h"

#include <fmt/format.h>

#include <map>

#include "base/error.h"
#include "base/file_system.h"
#include "base/json.h"

namespace keyshift::tools {

namespace fs = std::filesystem;

namespace {

// Where lines begin and what is said about them.
class Reader {
 public:
  Reader(std::string_view text, const std::string& name, BatchKind kind)
      : text_(text), name_(name), in_place_(kind == BatchKind::in_place) {}

  std::vector<BatchLine> read() {
    std::vector<BatchLine> lines;
    std::size_t number = 0;
    for (std::size_t begin = 0; begin < text_.size();) {
      const std::size_t end = std::min(text_.find('\n', begin), text_.size());
      const std::string_view line = text_.substr(begin, end - begin);
      number += 1;
      if (line.find_first_not_of(" \t\r") != std::string_view::npos && line.front() != '#')
        lines.push_back(line.front() == '{' ? from_json(line, begin) : from_fields(line, begin));
      if (!lines.empty() && lines.back().number == 0) lines.back().number = number;
      begin = end + 1;
    }
    return lines;
  }

 private:
  Error fault(std::string message, std::size_t offset) const {
    return Error(ErrorKind::batch_invalid, std::move(message)).in(name_).showing(text_, offset);
  }

  BatchLine from_fields(std::string_view line, std::size_t begin) const {
    if (line.ends_with('\r'))
      throw fault("the line ends in CR LF; take the CR away (tr -d '\\r')", begin + line.size() - 1);
    std::vector<std::string_view> fields;
    std::size_t at = 0;
    while (true) {
      const std::size_t tab = line.find('\t', at);
      fields.push_back(line.substr(at, tab - at));
      if (tab == std::string_view::npos) break;
      at = tab + 1;
    }
    const std::size_t paths = in_place_ ? 1 : 2;
    if (fields.size() < paths || fields.size() > paths + 1) {
      throw fault(fmt::format("expected {}, and perhaps a tab and a transform file; paths with tabs need a "
                              "JSON line",
                              in_place_ ? "PATH" : "SRC, a tab, DST"),
                  begin);
    }
    for (const std::string_view field : fields)
      if (field.empty())
        throw fault("a field is empty", begin + static_cast<std::size_t>(field.data() - line.data()));
    BatchLine result{0, fs::path(fields[0]), fs::path(fields[paths - 1]), {}};
    if (fields.size() > paths) result.transforms.emplace_back(fields[paths]);
    return result;
  }

  BatchLine from_json(std::string_view line, std::size_t begin) const {
    json::Source source;
    source.file = name_;
    source.offset = begin;
    source.not_json = source.not_utf8 = ErrorKind::batch_invalid;
    BatchLine result;
    json::Document document(line, 0, source);
    document.read([&](json::Value& object) {
      object.members([&](const json::Key& key, json::Value& value) {
        if (key.text == "source" || (key.text == "destination" && !in_place_)) {
          fs::path& path = key.text == "source" ? result.source : result.destination;
          if (!path.empty()) throw fault(fmt::format("{} is given twice", quote(key.text)), key.offset);
          path = string_of(value);
          if (path.empty()) throw fault("the path is empty", value.offset());
        } else if (key.text == "transforms") {
          read_transforms(value, result);
        } else {
          throw fault(fmt::format("unknown field {}; known are \"source\", {}\"transforms\"", quote(key.text),
                                  in_place_ ? "" : "\"destination\", "),
                      key.offset);
        }
      });
    });
    if (result.source.empty()) throw fault("the \"source\" is missing", begin);
    if (in_place_) result.destination = result.source;
    if (result.destination.empty()) throw fault("the \"destination\" is missing", begin);
    return result;
  }

  void read_transforms(json::Value& value, BatchLine& result) const {
    if (value.kind() == json::Kind::string) {
      result.transforms.emplace_back(value.string());
    } else if (value.kind() == json::Kind::array) {
      value.elements([&](json::Value& element) { result.transforms.emplace_back(string_of(element)); });
    } else {
      throw fault("expected a transform file or an array of them", value.offset());
    }
  }

  std::string string_of(json::Value& value) const {
    if (value.kind() != json::Kind::string)
      throw fault(fmt::format("expected a string, found {}", json::name(value.kind())), value.offset());
    return std::string(value.string());
  }

  std::string_view text_;
  const std::string& name_;
  bool in_place_;
};

std::size_t offset_of_line(std::string_view text, std::size_t number) {
  std::size_t at = 0;
  for (std::size_t line = 1; line < number; ++line) at = text.find('\n', at) + 1;
  return at;
}

// Where a path leads; what cannot be looked at is taken as it is written.
fs::path place_of(const fs::path& path) {
  try {
    return canonical_place(path);
  } catch (const Error&) {
    std::error_code ignored;
    return fs::absolute(path, ignored).lexically_normal();
  }
}

// The line whose path is `path` or a folder above it.
const BatchLine* line_around(const std::map<fs::path, const BatchLine*>& places, fs::path path, bool itself) {
  while (true) {
    if (itself) {
      const auto found = places.find(path);
      if (found != places.end()) return found->second;
    }
    itself = true;
    if (path == path.parent_path()) return nullptr;
    path = path.parent_path();
  }
}

}  // namespace

std::vector<BatchLine> parse_batch(std::string_view text, const std::string& name, BatchKind kind) {
  std::vector<BatchLine> lines = Reader(text, name, kind).read();
  if (lines.empty()) {
    throw Error(ErrorKind::batch_invalid, fmt::format("holds no line with a {}",
                                                      kind == BatchKind::in_place ? "PATH" : "SRC and a DST"))
        .in(name);
  }
  return lines;
}

void refuse_conflicts(const std::vector<BatchLine>& lines, std::string_view text, const std::string& name,
                      BatchKind kind) {
  const bool in_place = kind == BatchKind::in_place;
  const char* const what = in_place ? "PATH" : "DST";
  const auto refuse = [&](const BatchLine& line, std::string message) {
    throw Error(ErrorKind::batch_invalid, std::move(message))
        .in(name)
        .showing(text, offset_of_line(text, line.number));
  };
  std::map<fs::path, const BatchLine*> destinations, sources;
  for (const BatchLine& line : lines) {
    const auto [other, is_new] = destinations.emplace(place_of(line.destination), &line);
    if (!is_new) refuse(line, fmt::format("has the same {} as line {}", what, other->second->number));
    sources.emplace(place_of(line.source), &line);
  }
  for (const auto& [place, line] : destinations) {
    if (const BatchLine* other = line_around(destinations, place, false))
      refuse(*line, fmt::format("its {0} is inside the {0} of line {1}", what, other->number));
    if (in_place) continue;
    if (const BatchLine* other = line_around(sources, place, true))
      refuse(*line, fmt::format("its DST is, or is inside, the SRC of line {}", other->number));
  }
  for (const auto& [place, line] : sources) {
    if (in_place) break;
    if (const BatchLine* other = line_around(destinations, place, true)) {
      refuse(*line, fmt::format("its SRC is inside the DST of line {}; what builds on another line's result "
                                "belongs in a second batch",
                                other->number));
    }
  }
}

}  // namespace keyshift::tools
