#include "base/mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/interprocess/mapped_region.hpp>
#include <cerrno>
#include <utility>

#include "base/descriptor.h"
#include "base/error.h"
#include "base/file_system.h"
#include "base/huge_pages.h"

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

std::int64_t nanoseconds(const statx_timestamp& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

// Network and user space file systems answer from what they remember, which may be seconds old: they are to
// ask again.
struct statx asked_anew(int descriptor, const std::filesystem::path& path) {
  struct statx status {};
  if (::statx(descriptor, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &status) != 0)
    throw io_error("cannot stat", errno).in(path.string());
  return status;
}

FileIdentity identity_of(const struct statx& status) {
  return {::makedev(status.stx_dev_major, status.stx_dev_minor), status.stx_ino, status.stx_size,
          nanoseconds(status.stx_mtime), nanoseconds(status.stx_ctime)};
}

// Where a mapping is slow, is forbidden or can tear the process down: network and user space file systems.
bool maps_badly(int descriptor) {
  constexpr std::array<std::uint32_t, 13> kMagic = {0x65735546 /* FUSE */,
                                                    0x6969 /* NFS */,
                                                    0x0BD00BD0 /* Lustre */,
                                                    0xFF534D42 /* CIFS */,
                                                    0xFE534D42 /* SMB2 */,
                                                    0x517B /* SMB */,
                                                    0x01021997 /* 9p */,
                                                    0x00C36400 /* Ceph */,
                                                    0x47504653 /* GPFS */,
                                                    0x5346414F /* AFS */,
                                                    0x19830326 /* BeeGFS */,
                                                    0x786F4256 /* vboxsf */,
                                                    0x73757245 /* Coda */};
  struct statfs status {};
  if (::fstatfs(descriptor, &status) != 0) return false;
  return std::find(kMagic.begin(), kMagic.end(), static_cast<std::uint32_t>(status.f_type)) != kMagic.end();
}

const std::uint64_t kPage = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));

}  // namespace

namespace {

struct Unmap {
  std::size_t size = 0;
  void operator()(std::byte* address) const noexcept { ::munmap(address, size); }
};
using Memory = std::unique_ptr<std::byte, Unmap>;

}  // namespace

struct MappedFile::State {
  std::filesystem::path path;
  Descriptor descriptor;
  FileIdentity identity;
  boost::interprocess::mapped_region region;
  std::span<const std::byte> bytes;
  bool mapped = true;  // else `room` holds what was populated
  Memory room;

  void map();
  void make_room();
};

void MappedFile::State::map() {
  try {
    region =
        boost::interprocess::mapped_region(OpenDescriptor(descriptor.get()), boost::interprocess::read_only,
                                           0, static_cast<std::size_t>(identity.size));
  } catch (const boost::interprocess::interprocess_exception& failure) {
    throw io_error("cannot map", failure.get_native_error()).in(path.string());
  }
  bytes = {static_cast<const std::byte*>(region.get_address()), region.get_size()};
}

// Addresses without memory behind them, as many as the file has bytes: whoever looks at what was not
// populated is told so by SIGSEGV and never reads zeros.
void MappedFile::State::make_room() {
  mapped = false;
  const auto size = static_cast<std::size_t>(identity.size);
  void* address = ::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) throw io_error("cannot find room to read it", errno).in(path.string());
  room = Memory(static_cast<std::byte*>(address), Unmap{size});
  prefer_huge_pages(address, size);  // else half of the time goes into faults
  bytes = {room.get(), size};
}

MappedFile::MappedFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
MappedFile::MappedFile(MappedFile&&) noexcept = default;
MappedFile& MappedFile::operator=(MappedFile&&) noexcept = default;
MappedFile::~MappedFile() = default;

MappedFile MappedFile::open(const std::filesystem::path& path, FileAccess access) {
  auto state = std::make_unique<State>();
  state->path = path;
  // O_NONBLOCK: a FIFO in the place of a shard must not hang us.
  state->descriptor = Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!state->descriptor) throw io_error("cannot open", errno).in(path.string());
  const struct statx status = asked_anew(state->descriptor.get(), path);
  if (!S_ISREG(status.stx_mode)) throw Error(ErrorKind::io, "is not a regular file").in(path.string());
  state->identity = identity_of(status);
  if (status.stx_size > 0) {
    const bool read = access == FileAccess::read ||
                      (access == FileAccess::automatic && maps_badly(state->descriptor.get()));
    read ? state->make_room() : state->map();
  }
  return MappedFile(std::move(state));
}

const std::filesystem::path& MappedFile::path() const noexcept { return state_->path; }
std::uint64_t MappedFile::size() const noexcept { return state_->identity.size; }
std::span<const std::byte> MappedFile::bytes() const noexcept { return state_->bytes; }
int MappedFile::descriptor() const noexcept { return state_->descriptor.get(); }
const FileIdentity& MappedFile::identity() const noexcept { return state_->identity; }

bool MappedFile::is_mapped() const noexcept { return state_->mapped; }

void MappedFile::populate(std::uint64_t offset, std::uint64_t length) const {
  if (length == 0) return;
  const std::uint64_t begin = offset / kPage * kPage;
  if (!state_->mapped) {
    const std::uint64_t end = std::min((offset + length + kPage - 1) / kPage * kPage, size());
    std::byte* const place = state_->room.get() + begin;
    if (::mprotect(place, end - begin, PROT_READ | PROT_WRITE) != 0)
      throw io_error("cannot find room to read it", errno).in(state_->path.string());
    read_exactly(descriptor(), state_->path, begin, {place, static_cast<std::size_t>(end - begin)});
    return;
  }
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
  auto* const address = const_cast<std::byte*>(state_->bytes.data() + begin);
  ::madvise(address, end - begin, MADV_DONTNEED);
  if (!state_->mapped) ::mprotect(address, end - begin, PROT_NONE);
}

void MappedFile::will_need(std::uint64_t offset, std::uint64_t length) const noexcept {
  ::posix_fadvise(descriptor(), static_cast<off_t>(offset), static_cast<off_t>(length), POSIX_FADV_WILLNEED);
}

void MappedFile::check_unchanged() const {
  if (identity_of(asked_anew(descriptor(), state_->path)) != state_->identity) {
    throw Error(
        ErrorKind::source_changed,
        "was changed by somebody else while it was read; nothing was published, run again when it rests")
        .in(state_->path.string());
  }
}

}  // namespace keyshift
