// A conversion of the files themselves: only headers and the index are written where that can be.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/interrupt.h"
#include "engine/file_changes.h"
#include "engine/progress.h"
#include "plan/prepare_plan.h"

namespace keyshift {

struct InPlaceRequest {
  PlanRequest plan;
  unsigned jobs = 1;
};

struct InPlaceShard {
  std::string name;
  std::optional<HeaderWay> way;                  // none: no key in it changes, so it is left alone
  std::uint64_t old_header = 0, new_header = 0;  // 8 + n bytes
  std::uint64_t size = 0;                        // bytes of the whole file afterwards
};

/// What is to be done, or has been. Texts of keys borrow from the mapped headers: they mean
/// nothing after the files were changed.
struct InPlacePlan {
  PreparedPlan prepared;
  // What the changes borrow.
  std::vector<std::string> receipt;                   // pieces; none where nothing is to be done
  std::unique_ptr<const std::string> receipt_before;  // none where none lay there
  FileChanges changes;
  std::vector<InPlaceShard> shards;
  std::string receipt_name;
  std::uint64_t tensors = 0, changed = 0;
  std::vector<bool> used;

  bool has_changes() const noexcept { return !changes.headers.empty() || !changes.texts.empty(); }
};

/// Nothing is written. Errors: those of prepare_plan and plan_changes.
InPlacePlan plan_in_place(const InPlaceRequest& request);

/// Converts the files where they stand; see carry_out(). Does nothing at all, and writes no receipt, when no
/// key changes. Errors: those of carry_out.
void carry_out_in_place(const InPlacePlan& plan, unsigned jobs, Progress& progress,
                        const Interrupt& interrupt);

}  // namespace keyshift
