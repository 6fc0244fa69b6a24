// A transform: one rule, named and meant as in transformers (TRANSFORMS.md). Plain data, easy to reverse and
// to write down; what runs is made from it in compiled_transform.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"

namespace keyshift {

enum class Direction : std::uint8_t {
  load,  // checkpoint names → model names
  save,  // model names → checkpoint names
};

enum class TransformType : std::uint8_t {
  WeightRenaming,
  PrefixChange,
  GroupWeightRename,
  Inkling2IndexOffsetWeightRename,
  WeightConverter,
  KeyMapping,  // no class of transformers: what other tools' mappings come to (T41)
};
std::string_view name(TransformType type) noexcept;

/// What a WeightConverter does to tensors: the class's name and its constructor's arguments, kept as they
/// were given.
struct OperationSpec {
  std::string type;
  std::vector<std::pair<std::string, json::Node>> arguments;
};

/// A case of a KeyMapping: a pattern of Python's re and a template of its re.sub; none drops the tensor.
struct MappingCase {
  std::string source;
  std::optional<std::string> target;
};

/// The arguments of a transform's constructor in transformers, before any processing.
struct Transform {
  TransformType type = TransformType::WeightRenaming;
  std::vector<std::string> source_patterns;  // all but PrefixChange
  std::vector<std::string> target_patterns;
  std::optional<std::string> prefix_to_add, prefix_to_remove;  // PrefixChange: exactly one of them
  std::string model_prefix;                                    // PrefixChange
  std::int64_t offset = 0;                                     // Inkling2IndexOffsetWeightRename
  std::vector<OperationSpec> operations;                       // WeightConverter
  bool force_cpu = false;                                      // WeightConverter
  std::vector<MappingCase> cases;                              // KeyMapping
  bool of_an_adapter = false;                                  // KeyMapping: PEFT's prefix stays out of it
  /// Absent: the transform sees whole keys. Present, even if empty: it is confined (T9).
  std::optional<std::string> scope_prefix;
  std::string base_model_prefix;

  /// Where it was written, for messages: "rules.json:4:3" or "--rename". May be empty.
  std::string place;
};

/// Transforms in the order of their file, with what the file says about the model.
struct TransformList {
  std::vector<Transform> transforms;
  /// Of the model, for the loader's step with the target's keys (T15). Absent is not the same as empty.
  std::optional<std::string> base_model_prefix;
  std::string model_type, model_class, generator;
};

/// The transform that undoes `transform`, as reverse_transform() of transformers 5.23.0 makes it (T13). The
/// operations must be known ones with valid arguments, as in any transform that could be compiled. Errors:
/// transform_invalid (a KeyMapping goes one way only).
Transform reversed(const Transform& transform);

}  // namespace keyshift
