// Whether a conversion has been done already: by its receipt and by digests, never by the mere presence of
// files.
#pragma once

#include <optional>
#include <string>

#include "base/interrupt.h"
#include "engine/progress.h"
#include "engine/rewrite.h"

namespace keyshift {

/// Why what is at the destination is not what rewrite() would write there, or nullopt if it is: the plan is
/// made anew and held against the receipt (options, names, headers, side files), and every file against the
/// receipt's digests. The source's tensors are digested too where its files are newer than the receipt, or
/// the receipt holds no digests. Nothing is written. Progress as for rewrite(). Errors: those of
/// prepare_plan, io of the source, interrupted.
std::optional<std::string> why_not_finished(const RewriteRequest& request, Progress& progress,
                                            const Interrupt& interrupt);

/// Whether PATH has been converted in place just so: the receipt beside it tells of this conversion, and
/// every file has the size and header, or the digest, that it tells. False where no receipt does. Nothing is
/// written. Errors: source_changed (the receipt does, and a file is not what it says); those of
/// Checkpoint::open, receipt_invalid, io.
bool is_finished_in_place(const PlanRequest& request, const Interrupt& interrupt);

}  // namespace keyshift
