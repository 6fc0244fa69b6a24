#include "base/crash_cleanup.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

namespace keyshift {

namespace {

constexpr std::size_t kSlots = 64;
constexpr int kDeepest = 32;    // folders within folders: each of them takes 4 KiB of the stack
constexpr int kAttempts = 100;  // other threads may still put files into a folder that is being emptied

// The kernel's own form of a folder's entries (getdents64): opendir() would allocate memory.
struct Entry {
  std::uint64_t inode;
  std::int64_t offset;
  unsigned short length;
  unsigned char type;
  char name[1];
};

bool is_the_folder_or_above(const char* name) {
  return std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0;
}

void remove_folder(int above, const char* name, int depth) noexcept;

void empty_folder(int folder, int depth) noexcept {
  alignas(Entry) char room[4096];
  while (true) {
    const long got = ::syscall(SYS_getdents64, folder, room, sizeof(room));
    if (got <= 0) return;
    for (long at = 0; at < got;) {
      const auto* entry = reinterpret_cast<const Entry*>(room + at);
      at += entry->length;
      if (is_the_folder_or_above(entry->name) || ::unlinkat(folder, entry->name, 0) == 0) continue;
      if (errno == EISDIR || errno == EPERM) remove_folder(folder, entry->name, depth + 1);
    }
  }
}

void remove_folder(int above, const char* name, int depth) noexcept {
  if (depth > kDeepest) return;
  const int folder = ::openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (folder < 0) return;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    ::lseek(folder, 0, SEEK_SET);
    empty_folder(folder, depth);
    if (::unlinkat(above, name, AT_REMOVEDIR) == 0 || errno != ENOTEMPTY) break;
  }
  ::close(folder);
}

}  // namespace

struct CrashCleanup::Slot {
  enum State : int { free, being_filled, full, being_removed };
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
  if (slot_ == nullptr) return;
  for (int expected = Slot::full; !slot_->state.compare_exchange_strong(expected, Slot::free);
       expected = Slot::full)
    ::pause();  // also after other signals
}

void CrashCleanup::remove_all() noexcept {
  for (Slot& slot : slots_) {
    int expected = Slot::full;
    if (slot.state.compare_exchange_strong(expected, Slot::being_removed))
      remove_folder(AT_FDCWD, slot.folder, 0);
  }
}

}  // namespace keyshift
