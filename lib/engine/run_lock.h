// Keeps runs that change files in place from one another. Readers take no lock: they meet the journal.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/descriptor.h"

namespace keyshift {

/// A journal while it is being written, before it is published.
inline constexpr std::string_view kUnpublishedEnding = ".keyshift-journal-tmp";

/// Errors: io, always: another run is at work at `path`.
[[noreturn]] void refuse_busy(const std::filesystem::path& path);

}  // namespace keyshift
