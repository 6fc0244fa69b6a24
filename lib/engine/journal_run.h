// Carries out what a journal says, forwards or backwards. Each step may be repeated, so that a run that was
// interrupted anywhere is finished by the same code that would have finished it (FORMAT.md, F83 … F85).
#pragma once

#include <filesystem>

#include "engine/journal.h"

namespace keyshift {

/// Brings every file to its new state and flushes all. The replaced ones must have been staged. Errors: io;
/// then it can be repeated, or rolled back.
void apply_journal(const std::filesystem::path& journal_path, const Journal& journal, unsigned jobs);
/// Once it has been applied: removes the old files that were kept, then the journal. Errors: io; then all is
/// new and on the disk, and only this can be repeated.
void close_journal(const std::filesystem::path& journal_path, const Journal& journal);

/// Brings every file back to its old state, flushes all, and removes the journal and what was staged.
/// Errors: io; the journal is then still there.
void roll_back_journal(const std::filesystem::path& journal_path, const Journal& journal, unsigned jobs);

/// Removes what was staged for a journal that was never published. Never fails.
void discard_staged(const std::filesystem::path& folder, const Journal& journal) noexcept;

}  // namespace keyshift
