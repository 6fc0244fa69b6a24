#include "compare/same_bytes.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

#include "base/file_system.h"

namespace keyshift {

namespace {

constexpr std::size_t kPiece = 128U << 10U;  // bytes; each thread has two of them

}  // namespace

std::optional<std::uint64_t> first_difference(const FileRange& a, const FileRange& b,
                                              const std::function<void(std::uint64_t)>& advance,
                                              const Interrupt& interrupt) {
  const std::size_t piece = static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, a.size));
  std::vector<std::byte> left(piece), right(piece);
  for (std::uint64_t at = 0; at < a.size;) {
    interrupt.check();
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(piece, a.size - at));
    read_exactly(a.descriptor, a.path, a.offset + at, std::span(left).first(count));
    read_exactly(b.descriptor, b.path, b.offset + at, std::span(right).first(count));
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
