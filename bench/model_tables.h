// The key tables of five published models, made from their dimensions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace keyshift::bench {

/// "deepseek-v3" …
std::vector<std::string_view> model_names();

/// The keys of a model's checkpoint in the order of its table. Errors: std::invalid_argument.
std::vector<std::string> model_keys(std::string_view name);

}  // namespace keyshift::bench
