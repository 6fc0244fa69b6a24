#include "base/output_stream.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/iostreams/categories.hpp>
#include <boost/iostreams/compose.hpp>
#include <boost/iostreams/device/null.hpp>
#include <boost/iostreams/operations.hpp>
#include <cerrno>
#include <utility>

#include "base/descriptor.h"
#include "base/error.h"
#include "base/share_blocks.h"

namespace keyshift {

namespace io = boost::iostreams;

namespace {

// The library's file_descriptor_sink takes a short write for a failure and loses errno, so this is a device
// of our own.
struct FileState {
  std::filesystem::path path;
  Descriptor descriptor;
  OutputStream::FileOptions options;
  std::uint64_t size = 0;     // bytes written
  std::uint64_t flushed = 0;  // bytes whose writing back was begun
};

// Without this the disk idles until fsync: the copy and the flush would take their times one after the other.
void begin_writing_back(FileState& file) {
  if (file.options.flush_every == 0 || file.size - file.flushed < file.options.flush_every) return;
  ::sync_file_range(file.descriptor.get(), static_cast<off_t>(file.flushed),
                    static_cast<off_t>(file.size - file.flushed), SYNC_FILE_RANGE_WRITE);
  file.flushed = file.size;
}

class FileDevice {
 public:
  using char_type = char;
  using category = io::sink_tag;

  explicit FileDevice(std::shared_ptr<FileState> state) : state_(std::move(state)) {}

  std::streamsize write(const char* bytes, std::streamsize count) {
    constexpr std::streamsize kMostAtOnce = 1 << 30;  // the kernel takes at most 2 GiB - 4 KiB a call
    for (std::streamsize done = 0; done < count;) {
      const auto part = static_cast<std::size_t>(std::min(count - done, kMostAtOnce));
      const ssize_t written = state_->options.write_call(state_->descriptor.get(), bytes + done, part);
      if (written < 0 && errno == EINTR) continue;
      // EFAULT: the source is a mapping whose disk failed or whose file became shorter.
      if (written < 0 && errno == EFAULT)
        throw Error(ErrorKind::io, "cannot read the source").in(state_->path.string());
      if (written <= 0) throw io_error("cannot write", written == 0 ? EIO : errno).in(state_->path.string());
      done += written;
    }
    state_->size += static_cast<std::uint64_t>(count);
    begin_writing_back(*state_);
    return count;
  }

 private:
  std::shared_ptr<FileState> state_;
};

// What is digested of the bytes that pass.
struct Digesting {
  Hasher xxh;
  std::optional<ShaHasher> sha256;

  void update(std::span<const std::byte> bytes) {
    xxh.update(bytes);
    if (sha256) sha256->update(bytes);
  }
};

class DigestFilter {
 public:
  using char_type = char;
  struct category : io::output_filter_tag, io::multichar_tag {};

  explicit DigestFilter(std::shared_ptr<Digesting> digesting, bool wanted = true)
      : digesting_(std::move(digesting)), wanted_(wanted) {}

  template <class Sink>
  std::streamsize write(Sink& sink, const char* bytes, std::streamsize count) {
    if (wanted_)
      digesting_->update({reinterpret_cast<const std::byte*>(bytes), static_cast<std::size_t>(count)});
    return io::write(sink, bytes, count);
  }

 private:
  std::shared_ptr<Digesting> digesting_;
  bool wanted_;
};

}  // namespace

struct OutputStream::State {
  std::shared_ptr<Digesting> digesting = std::make_shared<Digesting>();
  std::shared_ptr<FileState> file;  // none for a stream that goes nowhere
  std::function<void(const char*, std::streamsize)> write;
  std::uint64_t size = 0;
};

OutputStream::OutputStream(std::unique_ptr<State> state) : state_(std::move(state)) {}
OutputStream::OutputStream(OutputStream&&) noexcept = default;
OutputStream& OutputStream::operator=(OutputStream&&) noexcept = default;
OutputStream::~OutputStream() = default;

OutputStream OutputStream::to_file(const std::filesystem::path& path, FileOptions options) {
  auto file = std::make_shared<FileState>();
  file->path = path;
  file->options = std::move(options);
  if (!file->options.write_call) file->options.write_call = ::write;
  file->descriptor = Descriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!file->descriptor) throw io_error("cannot create", errno).in(path.string());
  auto state = std::make_unique<State>();
  state->file = file;
  if (file->options.sha256) state->digesting->sha256.emplace();
  state->write = [chain =
                      io::compose(DigestFilter(state->digesting, file->options.digest), FileDevice(file))](
                     const char* bytes, std::streamsize count) mutable { io::write(chain, bytes, count); };
  return OutputStream(std::move(state));
}

OutputStream OutputStream::to_digest() {
  auto state = std::make_unique<State>();
  state->write = [chain = io::compose(DigestFilter(state->digesting), io::null_sink())](
                     const char* bytes, std::streamsize count) mutable { io::write(chain, bytes, count); };
  return OutputStream(std::move(state));
}

void OutputStream::write(std::span<const std::byte> bytes) {
  state_->write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  state_->size += bytes.size();
}

void OutputStream::write(std::string_view text) { write(std::as_bytes(std::span(text))); }

bool OutputStream::append_shared(int source, std::uint64_t offset, std::uint64_t length) {
  FileState& file = *state_->file;
  const int failure = share_blocks({source, offset, file.descriptor.get(), file.size, length});
  if (failure == EIO || failure == ENOSPC || failure == EDQUOT || failure == EFBIG)
    throw io_error("cannot share blocks with it", failure).in(file.path.string());
  if (failure != 0) return false;
  file.flushed += length;  // these blocks are on the disk already
  skip(length);
  return true;
}

std::uint64_t OutputStream::append_copied(int source, std::uint64_t offset, std::uint64_t length) {
  FileState& file = *state_->file;
  const std::int64_t copied = copy_in_kernel({source, offset, file.descriptor.get(), file.size, length});
  if (copied < 0 && (errno == EIO || errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
    throw io_error("cannot copy to it", errno).in(file.path.string());
  if (copied <= 0) return 0;
  skip(static_cast<std::uint64_t>(copied));
  return static_cast<std::uint64_t>(copied);
}

// `length` bytes have come behind the last one: write(2) goes on behind them.
void OutputStream::skip(std::uint64_t length) {
  FileState& file = *state_->file;
  file.size += length;
  state_->size += length;
  begin_writing_back(file);
  if (::lseek(file.descriptor.get(), static_cast<off_t>(file.size), SEEK_SET) < 0)
    throw io_error("cannot seek", errno).in(file.path.string());
}

void OutputStream::digest_only(std::span<const std::byte> bytes) { state_->digesting->update(bytes); }

Written OutputStream::finish() {
  if (state_->file) {
    FileState& file = *state_->file;
    if (file.options.sync && ::fsync(file.descriptor.get()) != 0) {
      throw io_error("cannot flush to the disk", errno).in(file.path.string());
    }
    if (::close(file.descriptor.release()) != 0) throw io_error("cannot close", errno).in(file.path.string());
  }
  Digesting& digesting = *state_->digesting;
  return {state_->size, digesting.xxh.value(),
          digesting.sha256 ? std::optional(digesting.sha256->value()) : std::nullopt};
}

}  // namespace keyshift
