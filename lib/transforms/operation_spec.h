// The operations of a WeightConverter by name: which constructor arguments they take, and what undoes them
// (TRANSFORMS.md, T3). What they do to tensors is not here.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "transforms/transform.h"

namespace keyshift {

/// True if `type` is an operation that transform files may name.
bool is_known_operation(std::string_view type) noexcept;
/// The sentence that refuses a type that is not known; it names those that are.
std::string unknown_operation(std::string_view type);

/// What is wrong with the arguments of `operation`, whose type is known: the name of the argument (empty:
/// of the whole), and a sentence.
struct OperationFault {
  std::string argument;
  std::string message;
};
std::optional<OperationFault> check_arguments(const OperationSpec& operation);

/// The operation that undoes this one, with all of its arguments written out. `operation` has passed
/// check_arguments().
OperationSpec reversed(const OperationSpec& operation);

/// True if a converter with this operation may have several sources and several targets.
bool supports_many_to_many(const OperationSpec& operation) noexcept;

}  // namespace keyshift
