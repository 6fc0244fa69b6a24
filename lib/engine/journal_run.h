// Carries out what a journal says, forwards or backwards. Each step may be repeated, so that a run that was
// interrupted anywhere is finished by the same code that would have finished it (FORMAT.md, F83 … F85).
#pragma once

#include <filesystem>

#include "engine/journal.h"

namespace keyshift {

/// Brings every file to its new state, flushes all, and removes the journal. The replaced ones must have been
/// staged. Errors: io; the journal is then still there, unless the message says so.
void finish_journal(const std::filesystem::path& journal_path, const Journal& journal, unsigned jobs);

/// Brings every file back to its old state, flushes all, and removes the journal and what was staged.
/// Errors: io; the journal is then still there.
void roll_back_journal(const std::filesystem::path& journal_path, const Journal& journal, unsigned jobs);

/// Removes what was staged for a journal that was never published. Never fails.
void discard_staged(const std::filesystem::path& folder, const Journal& journal) noexcept;

}  // namespace keyshift
