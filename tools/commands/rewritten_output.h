// What --rewrite-config tells.
#pragma once

#include <string>
#include <vector>

#include "base/json_writer.h"
#include "plan/plan.h"

namespace keyshift::tools {

/// Lines for people: every name that followed, and every one that stayed although it may be meant otherwise.
/// Empty if nothing was looked into.
std::string rewritten_text(const std::vector<RewrittenFile>& files);
/// The member "rewritten"; nothing if nothing was looked into.
void write_rewritten(json::Writer& out, const std::vector<RewrittenFile>& files);

}  // namespace keyshift::tools
