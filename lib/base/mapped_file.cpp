#include "base/mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/interprocess/mapped_region.hpp>
#include <cerrno>
#include <utility>

#include "base/descriptor.h"
#include "base/error.h"

namespace keyshift {

namespace {

// What mapped_region wants of a "memory mappable": a descriptor that was opened and checked by us, so that
// the file that is mapped is the file that was checked (file_mapping would open it again by name).
class OpenDescriptor {
 public:
  explicit OpenDescriptor(int descriptor) : descriptor_(descriptor) {}
  boost::interprocess::mapping_handle_t get_mapping_handle() const {
    return boost::interprocess::ipcdetail::mapping_handle_from_file_handle(descriptor_);
  }
  static boost::interprocess::mode_t get_mode() { return boost::interprocess::read_only; }

 private:
  int descriptor_;
};

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

FileIdentity identity_of(const struct stat& status) {
  return {static_cast<std::uint64_t>(status.st_dev), static_cast<std::uint64_t>(status.st_ino),
          static_cast<std::uint64_t>(status.st_size), nanoseconds(status.st_mtim),
          nanoseconds(status.st_ctim)};
}

const std::uint64_t kPage = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));

}  // namespace

struct MappedFile::State {
  std::filesystem::path path;
  Descriptor descriptor;
  FileIdentity identity;
  boost::interprocess::mapped_region region;
  std::span<const std::byte> bytes;
};

MappedFile::MappedFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
MappedFile::MappedFile(MappedFile&&) noexcept = default;
MappedFile& MappedFile::operator=(MappedFile&&) noexcept = default;
MappedFile::~MappedFile() = default;

MappedFile MappedFile::open(const std::filesystem::path& path) {
  auto state = std::make_unique<State>();
  state->path = path;
  // O_NONBLOCK: a FIFO in the place of a shard must not hang us.
  state->descriptor = Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!state->descriptor) throw io_error("cannot open", errno).in(path.string());
  struct stat status {};
  if (::fstat(state->descriptor.get(), &status) != 0) throw io_error("cannot stat", errno).in(path.string());
  if (!S_ISREG(status.st_mode)) throw Error(ErrorKind::io, "is not a regular file").in(path.string());
  state->identity = identity_of(status);
  if (status.st_size > 0) {
    try {
      state->region = boost::interprocess::mapped_region(OpenDescriptor(state->descriptor.get()),
                                                         boost::interprocess::read_only, 0,
                                                         static_cast<std::size_t>(status.st_size));
    } catch (const boost::interprocess::interprocess_exception& failure) {
      throw io_error("cannot map", failure.get_native_error()).in(path.string());
    }
    state->bytes = {static_cast<const std::byte*>(state->region.get_address()), state->region.get_size()};
  }
  return MappedFile(std::move(state));
}

const std::filesystem::path& MappedFile::path() const noexcept { return state_->path; }
std::uint64_t MappedFile::size() const noexcept { return state_->identity.size; }
std::span<const std::byte> MappedFile::bytes() const noexcept { return state_->bytes; }
int MappedFile::descriptor() const noexcept { return state_->descriptor.get(); }
const FileIdentity& MappedFile::identity() const noexcept { return state_->identity; }

void MappedFile::populate(std::uint64_t offset, std::uint64_t length) const {
  if (length == 0) return;
  const std::uint64_t begin = offset / kPage * kPage;
  auto* address = const_cast<std::byte*>(state_->bytes.data() + begin);
  int result = 0;
  do {
    result = ::madvise(address, offset + length - begin, MADV_POPULATE_READ);
  } while (result != 0 && errno == EINTR);
  if (result == 0) return;
  if (errno == EFAULT) {
    throw Error(ErrorKind::io,
                fmt::format("cannot read {} bytes: the file became shorter or the disk failed", length))
        .in(state_->path.string())
        .at(offset);
  }
  if (errno != EINVAL) throw io_error("cannot read", errno).in(state_->path.string()).at(offset);
  // Kernels before 5.14 do not know the advice: ask for the first byte of every page by pread, which cannot
  // raise SIGBUS.
  for (std::uint64_t at = begin; at < offset + length; at += kPage) {
    char byte = 0;
    const ssize_t got = ::pread(descriptor(), &byte, 1, static_cast<off_t>(at));
    if (got == 1) continue;
    throw io_error("cannot read", got == 0 ? ENODATA : errno).in(state_->path.string()).at(at);
  }
}

void MappedFile::release(std::uint64_t offset, std::uint64_t length) const noexcept {
  const std::uint64_t begin = (offset + kPage - 1) / kPage * kPage;
  const std::uint64_t end = std::min((offset + length) / kPage * kPage, size());
  if (begin >= end) return;
  ::madvise(const_cast<std::byte*>(state_->bytes.data() + begin), end - begin, MADV_DONTNEED);
}

void MappedFile::check_unchanged() const {
  struct stat status {};
  if (::fstat(descriptor(), &status) != 0) throw io_error("cannot stat", errno).in(state_->path.string());
  if (identity_of(status) != state_->identity) {
    throw Error(
        ErrorKind::source_changed,
        "was changed by somebody else while it was read; nothing was published, run again when it rests")
        .in(state_->path.string());
  }
}

}  // namespace keyshift
