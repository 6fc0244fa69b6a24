// ^C, as the library sees it: a flag that somebody else sets and long work asks about.
#pragma once

#include <atomic>

#include "base/error.h"

namespace keyshift {

class Interrupt {
 public:
  /// Safe to call from a signal handler.
  void request() noexcept { requested_.store(true, std::memory_order_relaxed); }
  bool requested() const noexcept { return requested_.load(std::memory_order_relaxed); }
  /// Errors: interrupted.
  void check() const {
    if (requested()) throw Error(ErrorKind::interrupted, "interrupted; nothing was published");
  }

 private:
  std::atomic<bool> requested_{false};
  static_assert(std::atomic<bool>::is_always_lock_free);
};

}  // namespace keyshift
