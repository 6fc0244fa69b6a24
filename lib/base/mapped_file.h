// A file that is read through a mapping (Boost.Interprocess; its one owner is mapped_file.cpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace keyshift {

/// What tells that a file is still the one that was opened. Times are in nanoseconds since the epoch.
struct FileIdentity {
  std::uint64_t device = 0, inode = 0, size = 0;
  std::int64_t modified = 0, changed = 0;
  bool operator==(const FileIdentity&) const = default;
};

/// How the bytes of a file come into memory.
enum class FileAccess : std::uint8_t {
  automatic,  // mapped, but read where mapping is slow or breaks: FUSE, NFS, Lustre, CIFS, 9p and their like
  mapped,
  read,  // by pread, into memory of our own at the same place that the mapping would have
};

/// A regular file, opened once and mapped as a whole, read-only. Owns descriptor and mapping; spans of it
/// live as long. Nothing of it is in memory until it is read or populated. A file that shrinks or fails below
/// a mapping raises SIGBUS on access: call populate() first for every window that is to be read, it turns
/// that into an Error. With FileAccess::read nothing can be looked at before it was populated.
class MappedFile {
 public:
  /// Errors: io (cannot open or map; not a regular file).
  static MappedFile open(const std::filesystem::path& path, FileAccess access = FileAccess::mapped);
  MappedFile(MappedFile&&) noexcept;
  MappedFile& operator=(MappedFile&&) noexcept;
  ~MappedFile();

  const std::filesystem::path& path() const noexcept;
  std::uint64_t size() const noexcept;  // bytes
  std::span<const std::byte> bytes() const noexcept;
  int descriptor() const noexcept;
  const FileIdentity& identity() const noexcept;
  bool is_mapped() const noexcept;  // or read

  /// Brings `length` bytes from `offset` into memory. Errors: io with the offset, when the file has become
  /// shorter or the disk fails.
  void populate(std::uint64_t offset, std::uint64_t length) const;
  /// Asks the kernel to begin reading: whoever populates these bytes later need not wait so long. Never
  /// fails.
  void will_need(std::uint64_t offset, std::uint64_t length) const noexcept;
  /// Lets go of the memory of whole pages within; the bytes stay readable. Never fails.
  void release(std::uint64_t offset, std::uint64_t length) const noexcept;
  /// Errors: source_changed, if size, times or inode are no longer those of the opening.
  void check_unchanged() const;

 private:
  struct State;
  explicit MappedFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace keyshift
