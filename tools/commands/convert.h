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

/// A plan and what else is worth showing of it.
struct ShownPlan {
  const PreparedPlan& prepared;
  CopyWays ways;
  std::optional<std::uint64_t> free_bytes;  // of the destination's file system; none if nobody knows

  /// Bytes that the output takes away from it.
  std::uint64_t needed_bytes() const;
};
std::string plan_text(const ShownPlan& shown, const Conversion& conversion, const Style& style);
/// One line of JSON, keyshift-plan/1.
std::string plan_json(const ShownPlan& shown, const Conversion& conversion);

/// `seconds`: from start to published.
std::string result_text(const RewriteResult& result, const Conversion& conversion, double seconds,
                        const Style& style);
/// One line of JSON, keyshift-convert/1.
std::string result_json(const RewriteResult& result, const Conversion& conversion, double seconds);

}  // namespace keyshift::tools
