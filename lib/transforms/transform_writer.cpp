// A TransformList as a transform file (TRANSFORMS.md, T1 … T3).
#include "base/json_writer.h"
#include "transforms/transform_file.h"

namespace keyshift {

namespace {

void write_text(json::Writer& out, std::string_view name, const std::string& text) {
  if (!text.empty()) out.key(name).string(text);
}

void write_optional(json::Writer& out, std::string_view name, const std::optional<std::string>& text) {
  if (text) out.key(name).string(*text);
}

// A single pattern of a group whose sides differ in length was given as a string: as such it counts by its
// characters, and so it has to stay one.
void write_patterns(json::Writer& out, std::string_view name, const std::vector<std::string>& patterns,
                    bool single_as_string) {
  out.key(name);
  if (single_as_string && patterns.size() == 1) {
    out.string(patterns.front());
    return;
  }
  out.begin_array();
  for (const auto& pattern : patterns) out.string(pattern);
  out.end_array();
}

void write_operations(json::Writer& out, const std::vector<OperationSpec>& operations) {
  out.key("operations").begin_array();
  for (const auto& operation : operations) {
    out.begin_object().key("type").string(operation.type);
    for (const auto& [name, value] : operation.arguments) out.key(name).node(value);
    out.end_object();
  }
  out.end_array();
}

void write_cases(json::Writer& out, const Transform& transform) {
  out.key("cases").begin_array();
  for (const MappingCase& each : transform.cases) {
    out.begin_object().key("source").string(each.source).key("target");
    if (each.target) {
      out.string(*each.target);
    } else {
      out.null();
    }
    out.end_object();
  }
  out.end_array();
  if (transform.of_an_adapter) out.key("adapter").boolean(true);
}

void write_transform(json::Writer& out, const Transform& transform) {
  out.begin_object().key("type").string(name(transform.type));
  if (transform.type == TransformType::PrefixChange) {
    write_optional(out, "prefix_to_add", transform.prefix_to_add);
    write_optional(out, "prefix_to_remove", transform.prefix_to_remove);
    write_text(out, "model_prefix", transform.model_prefix);
  } else if (transform.type == TransformType::KeyMapping) {
    write_cases(out, transform);
  } else {
    const bool uneven = transform.type == TransformType::GroupWeightRename &&
                        transform.source_patterns.size() != transform.target_patterns.size();
    write_patterns(out, "source_patterns", transform.source_patterns, uneven);
    write_patterns(out, "target_patterns", transform.target_patterns, uneven);
  }
  if (transform.type == TransformType::Inkling2IndexOffsetWeightRename) {
    out.key("offset").number(transform.offset);
  }
  if (transform.type == TransformType::WeightConverter) {
    write_operations(out, transform.operations);
    if (transform.force_cpu) out.key("force_cpu").boolean(true);
  }
  write_optional(out, "scope_prefix", transform.scope_prefix);
  write_text(out, "base_model_prefix", transform.base_model_prefix);
  out.end_object();
}

}  // namespace

std::string write_transforms(const TransformList& list) {
  json::Writer out(2);
  out.begin_object().key("schema").string("weight-transforms/1");
  write_text(out, "generator", list.generator);
  write_text(out, "model_type", list.model_type);
  write_text(out, "model_class", list.model_class);
  write_optional(out, "base_model_prefix", list.base_model_prefix);
  out.key("transforms").begin_array();
  for (const auto& transform : list.transforms) write_transform(out, transform);
  out.end_array().end_object();
  return out.text() + "\n";
}

}  // namespace keyshift
