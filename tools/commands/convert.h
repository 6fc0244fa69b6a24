// What `convert` tells: the plan of a dry run, and what was done.
#pragma once

#include <filesystem>
#include <string>

#include "engine/rewrite.h"
#include "tools/style.h"
#include "tools/transform_options.h"

namespace keyshift::tools {

/// A request and what else is worth telling about it.
struct Conversion {
  RewriteRequest request;
  GivenTransforms given;
};

/// `free_bytes`: of the destination's file system; none if nobody knows.
std::string plan_text(const PreparedPlan& prepared, const Conversion& conversion,
                      std::optional<std::uint64_t> free_bytes, const Style& style);
/// One line of JSON, keyshift-plan/1.
std::string plan_json(const PreparedPlan& prepared, const Conversion& conversion,
                      std::optional<std::uint64_t> free_bytes);

/// `seconds`: from start to published.
std::string result_text(const RewriteResult& result, const Conversion& conversion, double seconds,
                        const Style& style);
/// One line of JSON, keyshift-convert/1.
std::string result_json(const RewriteResult& result, const Conversion& conversion, double seconds);

}  // namespace keyshift::tools
