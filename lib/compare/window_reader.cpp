#include "compare/window_reader.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

#include "base/file_system.h"

namespace keyshift {

namespace {

constexpr std::size_t kWindow = 256U << 10U;  // bytes; each thread has two of them

class Windows {
 public:
  explicit Windows(const TensorPlace& place)
      : file_(place.shard->file()),
        begin_(place.shard->header().data_start() + place.tensor->begin),
        buffer_(static_cast<std::size_t>(std::min<std::uint64_t>(kWindow, place.tensor->size()))) {}

  std::span<const std::byte> read(std::uint64_t at, std::size_t count) {
    const auto window = std::span(buffer_).first(count);
    read_exactly(file_.descriptor(), file_.path(), begin_ + at, window);
    return window;
  }

 private:
  const MappedFile& file_;
  std::uint64_t begin_;
  std::vector<std::byte> buffer_;
};

std::size_t window_at(std::uint64_t at, std::uint64_t size) {
  return static_cast<std::size_t>(std::min<std::uint64_t>(kWindow, size - at));
}

void count_differences(std::span<const std::byte> a, std::span<const std::byte> b, std::uint64_t at,
                       ByteDifference& difference) {
  if (difference.count == 0) {
    const auto place = std::mismatch(a.begin(), a.end(), b.begin());
    difference.first = at + static_cast<std::uint64_t>(place.first - a.begin());
  }
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < a.size(); ++i) count += a[i] == b[i] ? 0 : 1;
  difference.count += count;
}

}  // namespace

Digest digest_tensor(const TensorPlace& place, const std::function<void(std::uint64_t)>& advance,
                     const Interrupt& interrupt) {
  const std::uint64_t size = place.tensor->size();
  Windows windows(place);
  Hasher hasher;
  for (std::uint64_t at = 0; at < size;) {
    interrupt.check();
    const std::size_t count = window_at(at, size);
    hasher.update(windows.read(at, count));
    advance(count);
    at += count;
  }
  return hasher.value();
}

Comparison compare_tensors(const TensorPlace& a, const TensorPlace& b,
                           const std::function<void(std::uint64_t)>& advance, const Interrupt& interrupt) {
  const std::uint64_t size = a.tensor->size();
  Windows left(a), right(b);
  Hasher left_hasher, right_hasher;  // the right one is fed from the first difference on
  ByteDifference difference;
  for (std::uint64_t at = 0; at < size;) {
    interrupt.check();
    const std::size_t count = window_at(at, size);
    const auto was = left.read(at, count);
    auto is = right.read(at, count);
    left_hasher.update(was);
    if (std::memcmp(was.data(), is.data(), count) != 0) {
      if (difference.count == 0) {
        // What was the same so far is the same for the right hasher; it mostly is little or nothing.
        for (std::uint64_t again = 0; again < at; again += kWindow)
          right_hasher.update(right.read(again, kWindow));
        is = right.read(at, count);
      }
      count_differences(was, is, at, difference);
    }
    if (difference.count != 0) right_hasher.update(is);
    advance(2 * static_cast<std::uint64_t>(count));
    at += count;
  }
  if (difference.count == 0) return {};
  return {difference, left_hasher.value(), right_hasher.value()};
}

}  // namespace keyshift
