#include "transforms/operation_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <span>

namespace keyshift {

namespace {

enum class ArgumentKind : std::uint8_t { integer, boolean, text_or_null, texts_or_null, three_integers };

struct Argument {
  std::string_view name;
  ArgumentKind kind;
  std::string_view standard;      // its default as JSON; empty: it must be given
  std::string_view reverse_name;  // what it is called in the operation that undoes this one
  bool reverse_negates = false;
};

constexpr Argument kDim{"dim", ArgumentKind::integer, "0", "dim"};
constexpr Argument kShards{"num_shards_attribute", ArgumentKind::text_or_null, "null",
                           "num_shards_attribute"};
constexpr Argument kNames{"permute_layer_names", ArgumentKind::texts_or_null, "null", "permute_layer_names"};
constexpr Argument kInverse{"inverse", ArgumentKind::boolean, "false", "inverse", true};
constexpr Argument kInverseTrue{"inverse", ArgumentKind::boolean, "true", "inverse", true};

constexpr std::array kOnlyDim{kDim};
constexpr std::array kDimAndShards{kDim, kShards};
constexpr std::array kDimAndInverse{kDim, kInverse};
constexpr std::array kTranspose{Argument{"dim0", ArgumentKind::integer, "0", "dim1"},
                                Argument{"dim1", ArgumentKind::integer, "1", "dim0"},
                                Argument{"check_dims", ArgumentKind::boolean, "false", "check_dims"}};
constexpr std::array kConvolution{Argument{"in_channels", ArgumentKind::integer, "", "in_channels"},
                                  Argument{"kernel_size", ArgumentKind::three_integers, "", "kernel_size"}};
constexpr std::array kPermute{Argument{"subconfig_key", ArgumentKind::text_or_null, "null", "subconfig_key"},
                              kNames, kInverse};
constexpr std::array kVisionFuse{kDim, kNames, kInverseTrue};
constexpr std::array kVisionUnfuse{kDim, kNames, kInverse};
constexpr std::array kErnie{Argument{"stack_dim", ArgumentKind::integer, "0", "stack_dim"},
                            Argument{"concat_dim", ArgumentKind::integer, "1", "concat_dim"}};

struct Operation {
  std::string_view type, reverse_type;
  std::span<const Argument> arguments;
  bool many_to_many = false;
};

constexpr std::array kOperations{
    Operation{"Chunk", "Concatenate", kDimAndShards},
    Operation{"Concatenate", "Chunk", kDimAndShards},
    Operation{"Conv3dToLinear", "LinearToConv3d", kConvolution},
    Operation{"ErnieFuseAndSplitTextVisionExperts", "ErnieSplitAndDecoupleTextVisionExperts", kErnie, true},
    Operation{"ErnieSplitAndDecoupleTextVisionExperts", "ErnieFuseAndSplitTextVisionExperts", kErnie, true},
    Operation{"Interleave", "Interleave", kDimAndInverse},
    Operation{"LinearToConv3d", "Conv3dToLinear", kConvolution},
    Operation{"MergeModulelist", "SplitModulelist", kOnlyDim},
    Operation{"PermuteForRope", "PermuteForRope", kPermute},
    Operation{"Split", "Concatenate", kOnlyDim},
    Operation{"SplitModulelist", "MergeModulelist", kOnlyDim},
    Operation{"Transpose", "Transpose", kTranspose},
    Operation{"VisionFuseAndPermuteForRope", "VisionUnfuseAndPermuteForRope", kVisionFuse},
    Operation{"VisionUnfuseAndPermuteForRope", "VisionFuseAndPermuteForRope", kVisionUnfuse},
};

const Operation* find_operation(std::string_view type) noexcept {
  const auto* const found = std::find_if(kOperations.begin(), kOperations.end(),
                                         [&](const Operation& known) { return known.type == type; });
  return found == kOperations.end() ? nullptr : found;
}

bool is_integer(const json::Node& node) {
  if (node.kind != json::Kind::number) return false;
  std::int64_t value = 0;
  const char* const end = node.text.data() + node.text.size();
  const auto [at, error] = std::from_chars(node.text.data(), end, value);
  return error == std::errc() && at == end;
}

bool all_of(const json::Node& node, bool (*check)(const json::Node&)) {
  return node.kind == json::Kind::array && std::all_of(node.elements.begin(), node.elements.end(), check);
}

bool fits(ArgumentKind kind, const json::Node& node) {
  switch (kind) {
    case ArgumentKind::integer:
      return is_integer(node);
    case ArgumentKind::boolean:
      return node.kind == json::Kind::boolean;
    case ArgumentKind::text_or_null:
      return node.kind == json::Kind::string || node.kind == json::Kind::null;
    case ArgumentKind::texts_or_null:
      return node.kind == json::Kind::null ||
             all_of(node, [](const json::Node& item) { return item.kind == json::Kind::string; });
    case ArgumentKind::three_integers:
      return all_of(node, is_integer) && node.elements.size() == 3;
  }
  return false;
}

std::string_view description(ArgumentKind kind) {
  switch (kind) {
    case ArgumentKind::integer:
      return "an integer";
    case ArgumentKind::boolean:
      return "true or false";
    case ArgumentKind::text_or_null:
      return "a string or null";
    case ArgumentKind::texts_or_null:
      return "an array of strings or null";
    case ArgumentKind::three_integers:
      return "an array of three integers";
  }
  return "";
}

const json::Node* find_argument(const OperationSpec& operation, std::string_view name) {
  for (const auto& [given, value] : operation.arguments) {
    if (given == name) return &value;
  }
  return nullptr;
}

json::Node node_of(std::string_view literal) {
  json::Node node;
  if (literal == "null") return node;
  if (literal == "true" || literal == "false") {
    node.kind = json::Kind::boolean;
    node.boolean = literal == "true";
  } else {
    node.kind = json::Kind::number;
    node.text = literal;
  }
  return node;
}

}  // namespace

bool is_known_operation(std::string_view type) noexcept { return find_operation(type) != nullptr; }

std::string unknown_operation(std::string_view type) {
  std::string known;
  for (const Operation& operation : kOperations) {
    known += fmt::format("{}{}", known.empty() ? "" : ", ", operation.type);
  }
  return fmt::format("unknown operation {}; known are {}", quote(type), known);
}

std::optional<OperationFault> check_arguments(const OperationSpec& operation) {
  const Operation& known = *find_operation(operation.type);
  for (const auto& [name, value] : operation.arguments) {
    const auto argument = std::find_if(known.arguments.begin(), known.arguments.end(),
                                       [&](const Argument& candidate) { return candidate.name == name; });
    if (argument == known.arguments.end()) {
      return OperationFault{name, fmt::format("{} takes no {}", known.type, quote(name))};
    }
    if (!fits(argument->kind, value)) {
      return OperationFault{
          name, fmt::format("{} of {} must be {}", quote(name), known.type, description(argument->kind))};
    }
  }
  for (const Argument& argument : known.arguments) {
    if (argument.standard.empty() && find_argument(operation, argument.name) == nullptr) {
      return OperationFault{"", fmt::format("{} needs {}", known.type, quote(argument.name))};
    }
  }
  return std::nullopt;
}

OperationSpec reversed(const OperationSpec& operation) {
  const Operation& known = *find_operation(operation.type);
  const Operation& reverse = *find_operation(known.reverse_type);
  OperationSpec out{std::string(known.reverse_type), {}};
  for (const Argument& wanted : reverse.arguments) {
    const auto from = std::find_if(known.arguments.begin(), known.arguments.end(),
                                   [&](const Argument& own) { return own.reverse_name == wanted.name; });
    // What the operation does not know (Split has no shards) is the other's default.
    const json::Node* const given =
        from == known.arguments.end() ? nullptr : find_argument(operation, from->name);
    const std::string_view standard = from == known.arguments.end() ? wanted.standard : from->standard;
    json::Node value = given != nullptr ? *given : node_of(standard);
    if (from != known.arguments.end() && from->reverse_negates) value.boolean = !value.boolean;
    out.arguments.emplace_back(wanted.name, std::move(value));
  }
  return out;
}

bool supports_many_to_many(const OperationSpec& operation) noexcept {
  const Operation* const known = find_operation(operation.type);
  return known != nullptr && known->many_to_many;
}

}  // namespace keyshift
