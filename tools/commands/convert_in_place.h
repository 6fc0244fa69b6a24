// `convert --in-place`: what it tells.
#pragma once

#include <string>

#include "engine/in_place.h"
#include "tools/console.h"
#include "tools/style.h"

namespace keyshift::tools {

std::string in_place_plan_text(const InPlacePlan& plan, const std::string& path, const Style& style);
/// One line of JSON, keyshift-plan/1 with "in_place": true.
std::string in_place_plan_json(const InPlacePlan& plan, const std::string& path);

std::string in_place_result_text(const InPlacePlan& plan, const std::string& path, const Style& style);
/// One line of JSON, keyshift-convert/1 with "in_place": true. `seconds`: from start to done.
std::string in_place_result_json(const InPlacePlan& plan, const std::string& path, double seconds);

}  // namespace keyshift::tools
