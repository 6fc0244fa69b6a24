#include "transforms/transform_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "base/mapped_file.h"
#include "base/utf8.h"
#include "transforms/dialects.h"
#include "transforms/located_json.h"
#include "transforms/operation_spec.h"
#include "transforms/processed_patterns.h"

namespace keyshift {

namespace {

using json::Kind;
using Names = std::initializer_list<std::string_view>;

constexpr std::string_view kSchema = "weight-transforms/1";
constexpr std::array kTypes = {
    TransformType::WeightRenaming,    TransformType::PrefixChange,
    TransformType::GroupWeightRename, TransformType::Inkling2IndexOffsetWeightRename,
    TransformType::WeightConverter,   TransformType::KeyMapping};

std::string joined(const auto& names) {
  std::string out;
  for (const auto& name : names) out += fmt::format("{}{}", out.empty() ? "" : ", ", name);
  return out;
}

// One file on its way into a TransformList. Every refusal goes through fail(), which shows the line.
class Reader {
 public:
  Reader(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  TransformList read();

 private:
  [[noreturn]] void fail(ErrorKind kind, std::uint64_t offset, std::string message) const {
    throw Error(kind, std::move(message)).in(file_).showing(text_, offset);
  }

  void read_head(const LocatedValue& file, TransformList& list) const;
  void check_schema(const LocatedValue& file) const;
  Transform read_transform(const LocatedValue& value);
  TransformType read_type(const LocatedValue& value) const;
  void read_fields(const LocatedValue& value, Transform& transform) const;
  void read_prefix_change(const LocatedValue& value, Transform& transform) const;
  void read_patterns(const LocatedValue& value, Transform& transform) const;
  void read_cases(const LocatedValue& value, Transform& transform) const;
  void read_converter(const LocatedValue& value, Transform& transform) const;
  OperationSpec read_operation(const LocatedValue& value) const;
  void check_group_lengths(const LocatedValue& value) const;
  void check(const LocatedValue& value, const Transform& transform) const;

  void check_members(const LocatedValue& object, std::string_view what, Names known) const;
  const LocatedValue& required(const LocatedValue& object, std::string_view what,
                               std::string_view name) const;
  std::optional<std::string> text_or_null(const LocatedValue& object, std::string_view name) const;
  std::vector<std::string> texts(const LocatedValue::Member& member) const;

  std::string_view text_;
  const std::string& file_;
  PlaceNames place_of_{text_, file_};
};

TransformList Reader::read() {
  const LocatedValue file = parse_located(text_, file_);
  if (file.kind == Kind::object && file.find("dialect") != nullptr) return read_dialect(file, text_, file_);
  TransformList list;
  const LocatedValue* transforms = &file;
  if (file.kind == Kind::object) {
    read_head(file, list);
    transforms = &required(file, "a transform file", "transforms");
  }
  if (transforms->kind != Kind::array) {
    fail(ErrorKind::transform_file_invalid, transforms->offset,
         fmt::format("expected an array of transforms{}, not {}",
                     file.kind == Kind::object ? "" : " or an object that holds one as \"transforms\"",
                     json::name(transforms->kind)));
  }
  list.transforms.reserve(transforms->elements.size());
  for (const auto& element : transforms->elements) list.transforms.push_back(read_transform(element));
  return list;
}

void Reader::read_head(const LocatedValue& file, TransformList& list) const {
  check_members(file, "a transform file",
                {"schema", "generator", "model_type", "model_class", "base_model_prefix", "transforms"});
  check_schema(file);
  list.generator = text_or_null(file, "generator").value_or("");
  list.model_type = text_or_null(file, "model_type").value_or("");
  list.model_class = text_or_null(file, "model_class").value_or("");
  list.base_model_prefix = text_or_null(file, "base_model_prefix");
}

void Reader::check_schema(const LocatedValue& file) const {
  const LocatedValue& schema = required(file, "a transform file", "schema");
  if (schema.kind == Kind::string && schema.text == kSchema) return;
  fail(ErrorKind::transform_file_invalid, schema.offset,
       fmt::format("\"schema\" must be {}, not {}", quote(kSchema),
                   schema.kind == Kind::string ? quote(schema.text) : std::string(json::name(schema.kind))));
}

Transform Reader::read_transform(const LocatedValue& value) {
  Transform transform;
  transform.type = read_type(value);
  transform.place = place_of_(value.offset);
  transform.scope_prefix = text_or_null(value, "scope_prefix");
  transform.base_model_prefix = text_or_null(value, "base_model_prefix").value_or("");
  read_fields(value, transform);
  check(value, transform);
  return transform;
}

TransformType Reader::read_type(const LocatedValue& value) const {
  if (value.kind != Kind::object) {
    fail(ErrorKind::transform_file_invalid, value.offset,
         fmt::format("a transform must be an object with a \"type\", not {}", json::name(value.kind)));
  }
  const LocatedValue& type = required(value, "a transform", "type");
  if (type.kind == Kind::string) {
    for (const TransformType known : kTypes) {
      if (type.text == name(known)) return known;
    }
  }
  std::vector<std::string_view> known;
  for (const TransformType each : kTypes) known.push_back(name(each));
  fail(ErrorKind::transform_unknown, type.offset,
       fmt::format("unknown type of transform, {}; known are {}",
                   type.kind == Kind::string ? quote(type.text) : std::string(json::name(type.kind)),
                   joined(known)));
}

void Reader::read_fields(const LocatedValue& value, Transform& transform) const {
  const std::string what = fmt::format("a {}", name(transform.type));
  switch (transform.type) {
    case TransformType::PrefixChange:
      check_members(
          value, what,
          {"type", "prefix_to_add", "prefix_to_remove", "model_prefix", "scope_prefix", "base_model_prefix"});
      return read_prefix_change(value, transform);
    case TransformType::WeightRenaming:
    case TransformType::GroupWeightRename:
      check_members(value, what,
                    {"type", "source_patterns", "target_patterns", "scope_prefix", "base_model_prefix"});
      return read_patterns(value, transform);
    case TransformType::Inkling2IndexOffsetWeightRename: {
      check_members(
          value, what,
          {"type", "source_patterns", "target_patterns", "offset", "scope_prefix", "base_model_prefix"});
      const LocatedValue& offset = required(value, what, "offset");
      const char* const end = offset.text.data() + offset.text.size();
      const auto [at, error] = std::from_chars(offset.text.data(), end, transform.offset);
      if (offset.kind != Kind::number || error != std::errc() || at != end ||
          transform.offset == std::numeric_limits<std::int64_t>::min()) {
        fail(ErrorKind::transform_invalid, offset.offset, "\"offset\" must be an integer of at most 63 bits");
      }
      return read_patterns(value, transform);
    }
    case TransformType::WeightConverter:
      check_members(value, what,
                    {"type", "source_patterns", "target_patterns", "operations", "force_cpu", "scope_prefix",
                     "base_model_prefix"});
      read_patterns(value, transform);
      return read_converter(value, transform);
    case TransformType::KeyMapping:
      check_members(value, what, {"type", "cases", "adapter"});
      return read_cases(value, transform);
  }
}

void Reader::read_prefix_change(const LocatedValue& value, Transform& transform) const {
  transform.prefix_to_add = text_or_null(value, "prefix_to_add");
  transform.prefix_to_remove = text_or_null(value, "prefix_to_remove");
  transform.model_prefix = text_or_null(value, "model_prefix").value_or("");
}

void Reader::read_patterns(const LocatedValue& value, Transform& transform) const {
  const std::string what = fmt::format("a {}", name(transform.type));
  for (const std::string_view field : {"source_patterns", "target_patterns"}) required(value, what, field);
  transform.source_patterns = texts(*value.find("source_patterns"));
  transform.target_patterns = texts(*value.find("target_patterns"));
  if (transform.type == TransformType::GroupWeightRename) check_group_lengths(value);
}

void Reader::read_cases(const LocatedValue& value, Transform& transform) const {
  const LocatedValue& cases = required(value, "a KeyMapping", "cases");
  if (cases.kind != Kind::array || cases.elements.empty()) {
    fail(ErrorKind::transform_invalid, cases.offset, "\"cases\" must be an array of one or more");
  }
  for (const LocatedValue& each : cases.elements) {
    if (each.kind != Kind::object) {
      fail(ErrorKind::transform_invalid, each.offset,
           fmt::format("a case must be an object with \"source\" and \"target\", not {}",
                       json::name(each.kind)));
    }
    check_members(each, "a case", {"source", "target"});
    required(each, "a case", "source");
    required(each, "a case", "target");
    transform.cases.push_back({text_or_null(each, "source").value_or(""), text_or_null(each, "target")});
  }
  if (const auto* adapter = value.find("adapter")) {
    if (adapter->value.kind != Kind::boolean) {
      fail(ErrorKind::transform_invalid, adapter->value.offset, "\"adapter\" must be true or false");
    }
    transform.of_an_adapter = adapter->value.boolean;
  }
}

// transformers compares len() of what it is given; of a string that is its characters.
void Reader::check_group_lengths(const LocatedValue& value) const {
  const auto length = [](const LocatedValue& given) {
    return given.kind == Kind::string ? utf8::count_codepoints(given.text) : given.elements.size();
  };
  const LocatedValue& sources = value.find("source_patterns")->value;
  const LocatedValue& targets = value.find("target_patterns")->value;
  if (length(sources) == length(targets)) return;
  const bool strings = sources.kind == Kind::string || targets.kind == Kind::string;
  fail(ErrorKind::transform_invalid, targets.offset,
       fmt::format("a GroupWeightRename needs as many target patterns as source patterns, not {} for {}{}",
                   length(targets), length(sources),
                   strings
                       ? "; write a single pattern as an array of one, for of a string transformers counts "
                         "the characters"
                       : ""));
}

void Reader::read_converter(const LocatedValue& value, Transform& transform) const {
  const LocatedValue& operations = required(value, "a WeightConverter", "operations");
  if (operations.kind != Kind::array) {
    fail(ErrorKind::transform_invalid, operations.offset,
         fmt::format("\"operations\" must be an array, not {}", json::name(operations.kind)));
  }
  for (const auto& operation : operations.elements) {
    transform.operations.push_back(read_operation(operation));
  }
  if (const auto* force_cpu = value.find("force_cpu")) {
    if (force_cpu->value.kind != Kind::boolean) {
      fail(ErrorKind::transform_invalid, force_cpu->value.offset, "\"force_cpu\" must be true or false");
    }
    transform.force_cpu = force_cpu->value.boolean;
  }
}

OperationSpec Reader::read_operation(const LocatedValue& value) const {
  if (value.kind != Kind::object) {
    fail(ErrorKind::transform_invalid, value.offset,
         fmt::format("an operation must be an object with a \"type\", not {}", json::name(value.kind)));
  }
  const LocatedValue& type = required(value, "an operation", "type");
  if (type.kind != Kind::string) {
    fail(ErrorKind::transform_invalid, type.offset,
         fmt::format("the \"type\" of an operation must be a string, not {}", json::name(type.kind)));
  }
  if (!is_known_operation(type.text)) {
    fail(ErrorKind::transform_unknown, type.offset, unknown_operation(type.text));
  }
  OperationSpec out{type.text, {}};
  for (const auto& member : value.members) {
    if (value.find(member.name) != &member) {
      fail(ErrorKind::transform_invalid, member.offset, fmt::format("{} is given twice", quote(member.name)));
    }
    if (member.name != "type") out.arguments.emplace_back(member.name, without_places(member.value));
  }
  if (auto fault = check_arguments(out)) {
    const auto* member = value.find(fault->argument);
    fail(ErrorKind::transform_invalid, member == nullptr ? value.offset : member->offset, fault->message);
  }
  return out;
}

// Constructs the transform for its faults only; the caret goes to the pattern, and to the place in it if the
// pattern stands in the file as transformers processed it.
void Reader::check(const LocatedValue& value, const Transform& transform) const {
  try {
    check_transform(transform);
  } catch (TransformFault& fault) {
    std::uint64_t offset = value.offset;
    const auto* sources = value.find("source_patterns");
    if (fault.source && transform.type == TransformType::KeyMapping) {
      const LocatedValue& each = value.find("cases")->value.elements[*fault.source];
      offset = each.find(fault.in_target ? "target" : "source")->value.offset;
    } else if (fault.source && sources != nullptr) {
      const bool single = sources->value.kind == Kind::string;
      const LocatedValue& given = single ? sources->value : sources->value.elements[*fault.source];
      offset = place_in_string(text_, given.offset, std::min(fault.offset, given.text.size()));
    } else if (fault.source) {
      const auto* prefix = value.find(transform.prefix_to_add ? "prefix_to_add" : "prefix_to_remove");
      offset = prefix->value.offset;
    }
    fail(fault.kind, offset, std::move(fault.message));
  }
}

void Reader::check_members(const LocatedValue& object, std::string_view what, Names known) const {
  for (const auto& member : object.members) {
    if (std::find(known.begin(), known.end(), member.name) == known.end()) {
      fail(ErrorKind::transform_invalid, member.offset,
           fmt::format("unknown field {}; {} has {}", quote(member.name), what, joined(known)));
    }
    if (object.find(member.name) != &member) {
      fail(ErrorKind::transform_invalid, member.offset, fmt::format("{} is given twice", quote(member.name)));
    }
  }
}

const LocatedValue& Reader::required(const LocatedValue& object, std::string_view what,
                                     std::string_view name) const {
  if (const auto* member = object.find(name)) return member->value;
  fail(ErrorKind::transform_invalid, object.offset, fmt::format("{} needs {}", what, quote(name)));
}

std::optional<std::string> Reader::text_or_null(const LocatedValue& object, std::string_view name) const {
  const auto* member = object.find(name);
  if (member == nullptr || member->value.kind == Kind::null) return std::nullopt;
  if (member->value.kind == Kind::string) return member->value.text;
  fail(ErrorKind::transform_invalid, member->value.offset,
       fmt::format("{} must be a string, not {}", quote(name), json::name(member->value.kind)));
}

std::vector<std::string> Reader::texts(const LocatedValue::Member& member) const {
  const LocatedValue& value = member.value;
  if (value.kind == Kind::string) return {value.text};
  if (value.kind != Kind::array) {
    fail(ErrorKind::transform_invalid, value.offset,
         fmt::format("{} must be a string or an array of strings, not {}", quote(member.name),
                     json::name(value.kind)));
  }
  if (value.elements.empty()) {
    fail(ErrorKind::transform_invalid, value.offset, fmt::format("{} is empty", quote(member.name)));
  }
  std::vector<std::string> out;
  for (const auto& element : value.elements) {
    if (element.kind != Kind::string) {
      fail(ErrorKind::transform_invalid, element.offset,
           fmt::format("{} must hold strings only, not {}", quote(member.name), json::name(element.kind)));
    }
    out.push_back(element.text);
  }
  return out;
}

}  // namespace

TransformList parse_transforms(std::string_view text, const std::string& file_name) {
  return Reader(text, file_name).read();
}

TransformList read_transforms(const std::filesystem::path& path) {
  const MappedFile file = MappedFile::open(path);
  file.populate(0, file.size());
  const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  return parse_transforms(text, path.string());
}

}  // namespace keyshift
