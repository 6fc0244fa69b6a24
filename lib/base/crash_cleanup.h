// Folders that are to be gone if the process has to end in a signal handler: temporary output that nobody
// will publish.
#pragma once

#include <atomic>
#include <filesystem>

namespace keyshift {

/// While one of these lives, its folder is on the list. The list is short and fixed, so that a handler can
/// read it; who finds no place on it leaves the folder to the next run. Once a handler has begun to remove
/// the folder, its owner waits here for the end of the process: what is being removed is never published.
class CrashCleanup {
 public:
  CrashCleanup() = default;
  explicit CrashCleanup(const std::filesystem::path& folder) noexcept;
  CrashCleanup(CrashCleanup&& other) noexcept;
  CrashCleanup& operator=(CrashCleanup&& other) noexcept;
  ~CrashCleanup();

  /// Removes every folder on the list with all that is in it; links are not followed. For a signal handler
  /// that ends the process afterwards: no memory is allocated, no lock taken, no other program run, and other
  /// threads may be at work in these folders. What cannot be removed is left to the next run.
  static void remove_all() noexcept;

 private:
  struct Slot;
  static Slot slots_[];
  Slot* slot_ = nullptr;
};

}  // namespace keyshift
