// Folders that are to be gone if the process has to end in a signal handler: temporary output that nobody
// will publish.
#pragma once

#include <atomic>
#include <filesystem>

namespace keyshift {

/// While one of these lives, its folder is on the list. The list is short and fixed, so that a handler can
/// read it; who finds no place on it leaves the folder to the next run.
class CrashCleanup {
 public:
  CrashCleanup() = default;
  explicit CrashCleanup(const std::filesystem::path& folder) noexcept;
  CrashCleanup(CrashCleanup&& other) noexcept;
  CrashCleanup& operator=(CrashCleanup&& other) noexcept;
  ~CrashCleanup();

  /// Calls `use` with each folder. Safe in a signal handler if `use` is.
  static void for_each(void (*use)(const char* folder)) noexcept;

 private:
  struct Slot;
  static Slot slots_[];
  Slot* slot_ = nullptr;
};

}  // namespace keyshift
