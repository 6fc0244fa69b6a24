#include "compare/same_bytes.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/error.h"

namespace keyshift {

namespace {

constexpr std::size_t kPiece = 1U << 20U;  // bytes

void read_exactly(const FileRange& range, std::uint64_t at, char* into, std::size_t count) {
  for (std::size_t done = 0; done < count;) {
    const std::uint64_t offset = range.offset + at + done;
    const ssize_t got = ::pread(range.descriptor, into + done, count - done, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw io_error("cannot read", errno).in(range.path.string()).at(offset);
    if (got == 0) throw Error(ErrorKind::io, "the file became shorter").in(range.path.string()).at(offset);
    done += static_cast<std::size_t>(got);
  }
}

}  // namespace

std::optional<std::uint64_t> first_difference(const FileRange& a, const FileRange& b,
                                              const std::function<void(std::uint64_t)>& advance,
                                              const Interrupt& interrupt) {
  const std::size_t piece = static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, a.size));
  std::vector<char> left(piece), right(piece);
  for (std::uint64_t at = 0; at < a.size;) {
    interrupt.check();
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(piece, a.size - at));
    read_exactly(a, at, left.data(), count);
    read_exactly(b, at, right.data(), count);
    if (std::memcmp(left.data(), right.data(), count) != 0) {
      const auto place =
          std::mismatch(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(count), right.begin());
      return at + static_cast<std::uint64_t>(place.first - left.begin());
    }
    at += count;
    advance(count);
  }
  return std::nullopt;
}

}  // namespace keyshift
