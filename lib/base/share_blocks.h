// Bytes that go from file to file without passing through this process: shared blocks (reflinks) and copies
// that the kernel or a file server makes.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/descriptor.h"

namespace keyshift {

/// A range of one open file and where it goes in another.
struct FileTransfer {
  int from = -1;
  std::uint64_t from_offset = 0;  // bytes
  int to = -1;
  std::uint64_t to_offset = 0;  // bytes
  std::uint64_t length = 0;     // bytes

  static constexpr std::uint64_t kToTheEnd = 0;  // a length for share_blocks()
};

/// Lets the target share the source's blocks; offsets and length must be multiples of the block size, but for
/// the end of the source. 0, or errno.
int share_blocks(const FileTransfer& transfer) noexcept;

/// Copies in the kernel, as much as it likes. Bytes copied, or -1 with errno.
std::int64_t copy_in_kernel(const FileTransfer& transfer) noexcept;

/// A file without a name in `folder`, to try things on; none where the file system has no such thing.
Descriptor nameless_file(const std::filesystem::path& folder) noexcept;

/// Whether blocks (of 4096 bytes) can be shared, and whether the kernel copies, from that open file to files
/// in `folder`. It is tried, with a file that has no name and is gone at once. False also where nobody can
/// tell.
bool can_share_blocks(int from, const std::filesystem::path& folder) noexcept;
bool can_copy_in_kernel(int from, const std::filesystem::path& folder) noexcept;

}  // namespace keyshift
