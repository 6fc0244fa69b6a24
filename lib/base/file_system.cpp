#include "base/file_system.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "base/error.h"
#include "base/huge_pages.h"

namespace keyshift {

namespace fs = std::filesystem;

namespace {

Descriptor open_for_reading(const fs::path& path, int flags = 0) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags));
  if (!file) throw io_error("cannot open", errno).in(path.string());
  return file;
}

struct stat status_of(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) throw io_error("cannot stat", errno).in(path.string());
  return status;
}

}  // namespace

NamedFile look_at(const fs::path& path) noexcept {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return {.failure = errno};
  fs::file_type type = fs::file_type::unknown;
  if (S_ISREG(status.st_mode)) type = fs::file_type::regular;
  if (S_ISDIR(status.st_mode)) type = fs::file_type::directory;
  if (S_ISFIFO(status.st_mode)) type = fs::file_type::fifo;
  if (S_ISSOCK(status.st_mode)) type = fs::file_type::socket;
  if (S_ISCHR(status.st_mode)) type = fs::file_type::character;
  if (S_ISBLK(status.st_mode)) type = fs::file_type::block;
  return {type, static_cast<std::uint64_t>(status.st_dev), static_cast<std::uint64_t>(status.st_ino)};
}

void refuse_larger(const fs::path& path, std::uint64_t size, std::uint64_t limit) {
  if (size <= limit) return;
  throw Error(ErrorKind::io,
              "is larger than " + std::to_string(limit) + " bytes, which no such file should be")
      .in(path.string());
}

std::string read_small_file(const fs::path& path, std::uint64_t limit) {
  const Descriptor file = open_for_reading(path);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw io_error("cannot stat", errno).in(path.string());
  if (!S_ISREG(status.st_mode)) throw Error(ErrorKind::io, "is not a regular file").in(path.string());
  const auto size = static_cast<std::uint64_t>(status.st_size);
  refuse_larger(path, size, limit);
  std::string text;
  text.reserve(size);
  prefer_huge_pages(text.data(), size);
  text.resize(size);
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t got = ::read(file.get(), text.data() + done, text.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw io_error("cannot read", errno).in(path.string());
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  text.resize(done);
  return text;
}

void read_exactly(int descriptor, const fs::path& path, std::uint64_t offset, std::span<std::byte> into) {
  while (!into.empty()) {
    const ssize_t got = ::pread(descriptor, into.data(), into.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw io_error("cannot read", errno).in(path.string()).at(offset);
    if (got == 0) throw Error(ErrorKind::io, "the file became shorter").in(path.string()).at(offset);
    offset += static_cast<std::uint64_t>(got);
    into = into.subspan(static_cast<std::size_t>(got));
  }
}

void sync_folder(const fs::path& folder) {
  const Descriptor opened = open_for_reading(folder, O_DIRECTORY);
  if (::fsync(opened.get()) != 0)
    throw io_error("cannot flush the folder to the disk", errno).in(folder.string());
}

void sync_file_system(const fs::path& folder) {
  const Descriptor opened = open_for_reading(folder, O_DIRECTORY);
  if (::syncfs(opened.get()) != 0)
    throw io_error("cannot flush its file system to the disk", errno).in(folder.string());
}

void rename_no_replace(const fs::path& from, const fs::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return;
  const int failure = errno;
  // An empty folder is as good as none; and file systems that do not know the flag still rename.
  std::error_code ignored;
  const bool harmless = (failure == EEXIST && fs::is_directory(to) && fs::is_empty(to, ignored)) ||
                        ((failure == EINVAL || failure == ENOSYS || failure == EOPNOTSUPP) &&
                         !fs::exists(fs::symlink_status(to)));
  if (harmless && ::rename(from.c_str(), to.c_str()) == 0) return;
  throw io_error("cannot rename " + quote(from.string()) + " to it", errno).in(to.string());
}

bool exchange_names(const fs::path& a, const fs::path& b) {
  if (::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) == 0) return true;
  if (errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP) return false;
  throw io_error("cannot exchange it with " + quote(a.string()), errno).in(b.string());
}

Descriptor try_lock(const fs::path& path) {
  Descriptor file = open_for_reading(path);
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno == EWOULDBLOCK) return {};
    throw io_error("cannot lock", errno).in(path.string());
  }
  return file;
}

void remove_tree(const fs::path& path) {
  std::error_code failure;
  fs::remove_all(path, failure);
  if (failure) throw io_error("cannot remove", failure.value()).in(path.string());
}

bool is_mount_point(const fs::path& folder) {
  const struct stat here = status_of(folder);
  const struct stat above = status_of(folder / "..");
  return here.st_dev != above.st_dev || here.st_ino == above.st_ino;
}

bool is_inside(const fs::path& path, const fs::path& folder) {
  const auto [rest, _] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return rest == folder.end();
}

fs::path canonical_place(const fs::path& path) {
  std::error_code failure;
  fs::path place = fs::weakly_canonical(path, failure);
  if (failure) throw io_error("cannot resolve", failure.value()).in(path.string());
  if (place.is_relative()) place = fs::current_path() / place;
  return place.has_filename() ? place : place.parent_path();
}

}  // namespace keyshift
