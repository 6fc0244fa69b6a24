#include "base/in_place_file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <vector>

#include "base/error.h"
#include "base/share_blocks.h"

namespace keyshift {

namespace fs = std::filesystem;

namespace {

// The kernel's ways to say that a file system knows no such operation, or not with these blocks.
bool means_cannot(int failure) {
  return failure == EOPNOTSUPP || failure == EINVAL || failure == ENOSYS || failure == ENOTTY ||
         failure == EXDEV || failure == EPERM;
}

template <class Call>
auto without_interruption(Call&& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

}  // namespace

Standing standing_of(const fs::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return {};
    throw io_error("cannot look at it", errno).in(path.string());
  }
  return {.there = true,
          .is_link = S_ISLNK(status.st_mode),
          .is_file = S_ISREG(status.st_mode),
          .size = static_cast<std::uint64_t>(status.st_size),
          .hard_links = static_cast<std::uint64_t>(status.st_nlink),
          .device = static_cast<std::uint64_t>(status.st_dev),
          .inode = static_cast<std::uint64_t>(status.st_ino)};
}

bool is_open_for_writing(const fs::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) throw io_error("cannot open", errno).in(path.string());
  struct statfs system {};
  // NFS refuses every lease unless the server has delegated the file, so its refusal tells nothing.
  if (::fstatfs(file.get(), &system) == 0 && system.f_type == NFS_SUPER_MAGIC) return false;
  if (::fcntl(file.get(), F_SETLEASE, F_RDLCK) != 0) return errno == EAGAIN;
  ::fcntl(file.get(), F_SETLEASE, F_UNLCK);
  return false;
}

Descriptor open_for_changes(const fs::path& path) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
  if (!file) throw io_error("cannot open for writing", errno).in(path.string());
  return file;
}

Descriptor create_file(const fs::path& path) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666));
  if (!file) throw io_error("cannot create", errno).in(path.string());
  return file;
}

bool lock_exclusively(int descriptor, const fs::path& path) {
  if (without_interruption([&] { return ::flock(descriptor, LOCK_EX | LOCK_NB); }) == 0) return true;
  if (errno == EWOULDBLOCK) return false;
  throw io_error("cannot lock", errno).in(path.string());
}

bool insert_range(int descriptor, const fs::path& path, std::uint64_t offset, std::uint64_t length) {
  const auto insert = [&] {
    return ::fallocate(descriptor, FALLOC_FL_INSERT_RANGE, static_cast<off_t>(offset),
                       static_cast<off_t>(length));
  };
  if (without_interruption(insert) == 0) return true;
  if (means_cannot(errno)) return false;
  throw io_error("cannot insert blocks", errno).in(path.string()).at(offset);
}

void collapse_range(int descriptor, const fs::path& path, std::uint64_t offset, std::uint64_t length) {
  const auto collapse = [&] {
    return ::fallocate(descriptor, FALLOC_FL_COLLAPSE_RANGE, static_cast<off_t>(offset),
                       static_cast<off_t>(length));
  };
  if (without_interruption(collapse) != 0)
    throw io_error("cannot take out blocks", errno).in(path.string()).at(offset);
}

bool share_rest(int from, std::uint64_t from_offset, int to, std::uint64_t to_offset,
                const fs::path& to_path) {
  const int failure = share_blocks({from, from_offset, to, to_offset, FileTransfer::kToTheEnd});
  if (failure == 0) return true;
  if (means_cannot(failure)) return false;
  throw io_error("cannot share blocks", failure).in(to_path.string()).at(to_offset);
}

namespace {

std::uint64_t copy_through_buffer(int from, const fs::path& from_path, std::uint64_t from_offset, int to,
                                  const fs::path& to_path, std::uint64_t to_offset, std::uint64_t length) {
  constexpr std::uint64_t kBuffer = 1U << 20U;  // bytes
  std::vector<char> buffer(static_cast<std::size_t>(std::min(length, kBuffer)));
  const ssize_t got = without_interruption(
      [&] { return ::pread(from, buffer.data(), buffer.size(), static_cast<off_t>(from_offset)); });
  if (got < 0) throw io_error("cannot read", errno).in(from_path.string()).at(from_offset);
  write_exactly(to, to_path, to_offset, {buffer.data(), static_cast<std::size_t>(got)});
  return static_cast<std::uint64_t>(got);
}

}  // namespace

std::uint64_t copy_some(int from, const fs::path& from_path, std::uint64_t from_offset, int to,
                        const fs::path& to_path, std::uint64_t to_offset, std::uint64_t length) {
  const std::int64_t copied = copy_in_kernel({from, from_offset, to, to_offset, length});
  if (copied > 0) return static_cast<std::uint64_t>(copied);
  // 0 may also come from file systems that make their files up; reading tells.
  if (copied == 0 || means_cannot(errno))
    return copy_through_buffer(from, from_path, from_offset, to, to_path, to_offset, length);
  throw io_error("cannot copy " + quote(from_path.string()) + " into it", errno)
      .in(to_path.string())
      .at(to_offset);
}

void write_exactly(int descriptor, const fs::path& path, std::uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = without_interruption(
        [&] { return ::pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
    if (written <= 0) throw io_error("cannot write", written == 0 ? EIO : errno).in(path.string()).at(offset);
    offset += static_cast<std::uint64_t>(written);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void begin_writing_back(int descriptor) noexcept {
  ::sync_file_range(descriptor, 0, 0, SYNC_FILE_RANGE_WRITE);
}

void sync_file(int descriptor, const fs::path& path) {
  if (without_interruption([&] { return ::fsync(descriptor); }) != 0)
    throw io_error("cannot flush it to the disk", errno).in(path.string());
}

void sync_data(int descriptor, const fs::path& path) {
  if (without_interruption([&] { return ::fdatasync(descriptor); }) != 0)
    throw io_error("cannot flush it to the disk", errno).in(path.string());
}

void take_attributes(const fs::path& of, int descriptor) noexcept {
  struct stat status {};
  if (::stat(of.c_str(), &status) != 0) return;
  // The owner first: a change of owner takes set-user-id bits away.
  const bool owned = ::fchown(descriptor, status.st_uid, status.st_gid) == 0;
  if (owned || status.st_uid == ::geteuid()) ::fchmod(descriptor, status.st_mode & 07777);
}

bool add_name(const fs::path& existing, const fs::path& second) {
  if (::link(existing.c_str(), second.c_str()) == 0) return true;
  if (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS || errno == EMLINK) return false;
  throw io_error("cannot link " + quote(existing.string()) + " to it", errno).in(second.string());
}

void replace_name(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0)
    throw io_error("cannot rename " + quote(from.string()) + " to it", errno).in(to.string());
}

void remove_name(const fs::path& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    throw io_error("cannot remove", errno).in(path.string());
}

}  // namespace keyshift
