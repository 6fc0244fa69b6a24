#include "base/crash_cleanup.h"

#include <climits>
#include <cstring>
#include <utility>

namespace keyshift {

namespace {

constexpr std::size_t kSlots = 64;

}  // namespace

struct CrashCleanup::Slot {
  enum State : int { free, being_filled, full };
  std::atomic<int> state{free};
  char folder[PATH_MAX] = {};
};

CrashCleanup::Slot CrashCleanup::slots_[kSlots];

CrashCleanup::CrashCleanup(const std::filesystem::path& folder) noexcept {
  const std::string& text = folder.native();
  if (text.size() >= PATH_MAX) return;
  for (Slot& slot : slots_) {
    int expected = Slot::free;
    if (!slot.state.compare_exchange_strong(expected, Slot::being_filled)) continue;
    std::memcpy(slot.folder, text.c_str(), text.size() + 1);
    slot.state = Slot::full;
    slot_ = &slot;
    return;
  }
}

CrashCleanup::CrashCleanup(CrashCleanup&& other) noexcept : slot_(std::exchange(other.slot_, nullptr)) {}

CrashCleanup& CrashCleanup::operator=(CrashCleanup&& other) noexcept {
  std::swap(slot_, other.slot_);
  return *this;
}

CrashCleanup::~CrashCleanup() {
  if (slot_ != nullptr) slot_->state = Slot::free;
}

void CrashCleanup::for_each(void (*use)(const char* folder)) noexcept {
  for (const Slot& slot : slots_) {
    if (slot.state == Slot::full) use(slot.folder);
  }
}

}  // namespace keyshift
