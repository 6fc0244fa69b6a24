// keyshift, as a library: include this one header.
//
//   keyshift::RewriteRequest request;
//   request.plan.source = "llava-hf";  // a file, an index, a folder or a hub cache folder
//   request.plan.transforms = keyshift::read_transforms("llava.json");
//   request.destination = "llava-renamed";
//   const auto result = keyshift::rewrite(request, progress, interrupt);
//
// Reading order: format/checkpoint.h (what there is), transforms/renaming.h (what a renaming means),
// plan/prepare_plan.h (what will be done), engine/rewrite.h (doing it), receipt/receipt.h (what was done),
// compare/verify.h (the proof). Every failure is a keyshift::Error; nothing here prints or exits, and no
// third-party type shows.
#pragma once

#include <string_view>

#include "base/error.h"
#include "base/interrupt.h"
#include "compare/check.h"
#include "compare/checkpoint_digests.h"
#include "compare/diff.h"
#include "compare/infer.h"
#include "compare/verify.h"
#include "engine/finished.h"
#include "engine/in_place.h"
#include "engine/progress.h"
#include "engine/recover.h"
#include "engine/revert.h"
#include "engine/revert_in_place.h"
#include "engine/rewrite.h"
#include "engine/roundtrip.h"
#include "format/checkpoint.h"
#include "plan/prepare_plan.h"
#include "receipt/receipt.h"
#include "transforms/explain.h"
#include "transforms/lint.h"
#include "transforms/transform_file.h"

namespace keyshift {

/// As `keyshift --version` prints it, e.g. "0.1.0".
std::string_view version() noexcept;

}  // namespace keyshift
