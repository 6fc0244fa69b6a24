#include "base/share_blocks.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

namespace keyshift {

namespace {

constexpr std::uint64_t kBlock = 4096;  // bytes

}  // namespace

int share_blocks(const FileTransfer& transfer) noexcept {
  file_clone_range range{};
  range.src_fd = transfer.from;
  range.src_offset = transfer.from_offset;
  range.src_length = transfer.length;
  range.dest_offset = transfer.to_offset;
  while (::ioctl(transfer.to, FICLONERANGE, &range) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

std::int64_t copy_in_kernel(const FileTransfer& transfer) noexcept {
  auto from = static_cast<off64_t>(transfer.from_offset), to = static_cast<off64_t>(transfer.to_offset);
  while (true) {
    const ssize_t copied = ::copy_file_range(transfer.from, &from, transfer.to, &to, transfer.length, 0);
    if (copied >= 0 || errno != EINTR) return copied;
  }
}

Descriptor nameless_file(const std::filesystem::path& folder) noexcept {
  return Descriptor(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
}

bool can_share_blocks(int from, const std::filesystem::path& folder) noexcept {
  const Descriptor file = nameless_file(folder);
  return file && share_blocks({from, 0, file.get(), 0, kBlock}) == 0;
}

bool can_copy_in_kernel(int from, const std::filesystem::path& folder) noexcept {
  const Descriptor file = nameless_file(folder);
  return file && copy_in_kernel({from, 0, file.get(), 0, 1}) == 1;
}

}  // namespace keyshift
