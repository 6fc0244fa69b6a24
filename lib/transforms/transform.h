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
};
std::string_view name(TransformType type) noexcept;

/// What a WeightConverter does to tensors: the class's name and its constructor's arguments, kept as they
/// were given.
struct OperationSpec {
  std::string type;
  std::vector<std::pair<std::string, json::Node>> arguments;
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
/// operations must be known ones with valid arguments, as in any transform that could be compiled.
Transform reversed(const Transform& transform);

}  // namespace keyshift
