#include "engine/copy_strategy.h"

#include <algorithm>
#include <atomic>
#include <chrono>

namespace keyshift {

namespace {

// What is digested and written at once: it fits into a processor's own cache, so that three readers (tensor
// digest, file digest, write) cost one trip to memory.
constexpr std::uint64_t kPiece = 512U << 10U;  // bytes
constexpr std::uint64_t kBlock = 4096;         // bytes: what file systems share
// A window that took longer came from a disk.
constexpr auto kMemoryTime = std::chrono::milliseconds(3);
// What the kernel copies at once: ^C is looked at in between.
constexpr std::uint64_t kRange = 64U << 20U;  // bytes

// What a reader brings into memory at once: much of it keeps a disk busy, but all readers together keep
// within a budget, however many threads there are.
constexpr std::uint64_t kLargestWindow = 8U << 20U;     // bytes
constexpr std::uint64_t kSmallestWindow = 128U << 10U;  // bytes
constexpr std::uint64_t kAllWindows = 32U << 20U;       // bytes

class Reader {
 public:
  Reader() { readers_.fetch_add(1, std::memory_order_relaxed); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { readers_.fetch_sub(1, std::memory_order_relaxed); }

  struct Window {
    explicit Window(std::uint64_t bytes) : size(bytes) {}
    Window(const Window&) = delete;
    Window& operator=(const Window&) = delete;
    ~Window() { in_use_.fetch_sub(size, std::memory_order_relaxed); }
    const std::uint64_t size;  // bytes
  };
  // This reader's share, or what is left of the budget, for others may still have more than their shares.
  Window window() const {
    const std::uint64_t share = kAllWindows / readers_.load(std::memory_order_relaxed);
    std::uint64_t in_use = in_use_.load(std::memory_order_relaxed), size = 0;
    do {
      const std::uint64_t left = kAllWindows - std::min(kAllWindows, in_use);
      size = std::clamp(std::min(share, left) / kBlock * kBlock, kSmallestWindow, kLargestWindow);
    } while (!in_use_.compare_exchange_weak(in_use, in_use + size, std::memory_order_relaxed));
    return Window(size);
  }

 private:
  static inline std::atomic<std::uint64_t> readers_{0}, in_use_{0};
};

// Bytes that are there already, read once more for their digests.
void digest_besides(const MappedFile& source, std::uint64_t offset, std::uint64_t length,
                    const CopyContext& context) {
  if (!context.digested) return;
  read_through(source, offset, length, context.interrupt, [&](std::span<const std::byte> piece) {
    context.digest(piece);
    context.out.digest_only(piece);
  });
}

class Stream : public CopyStrategy {
 public:
  CopyWay way() const noexcept override { return CopyWay::stream; }
  void copy(const MappedFile& source, const Extent& extent, const CopyContext& context) const override {
    read_through(source, extent.source_offset, extent.length, context.interrupt,
                 [&](std::span<const std::byte> piece) {
                   if (context.digested) context.digest(piece);
                   context.out.write(piece);
                   context.advance(piece.size());
                 });
  }
};

class Range : public CopyStrategy {
 public:
  CopyWay way() const noexcept override { return CopyWay::range; }
  void copy(const MappedFile& source, const Extent& extent, const CopyContext& context) const override {
    Extent rest = extent;
    while (rest.length > 0) {
      context.interrupt.check();
      const std::uint64_t copied =
          context.out.append_copied(source.descriptor(), rest.source_offset, std::min(rest.length, kRange));
      if (copied == 0) return strategy(CopyWay::stream).copy(source, rest, context);
      digest_besides(source, rest.source_offset, copied, context);
      context.advance(copied);
      rest.source_offset += copied;
      rest.target_offset += copied;
      rest.length -= copied;
    }
  }
};

// Whole blocks are shared; what lies before and behind them goes the dearer way.
class Reflink : public CopyStrategy {
 public:
  CopyWay way() const noexcept override { return CopyWay::reflink; }
  void copy(const MappedFile& source, const Extent& extent, const CopyContext& context) const override {
    const std::uint64_t head = std::min((kBlock - extent.source_offset % kBlock) % kBlock, extent.length);
    const std::uint64_t blocks = (extent.length - head) / kBlock * kBlock;
    const auto part = [&](std::uint64_t from, std::uint64_t length) {
      return Extent{extent.source_shard, extent.source_offset + from, extent.target_offset + from, length};
    };
    stream(source, part(0, head), context);
    if (blocks > 0) share(source, part(head, blocks), context);
    stream(source, part(head + blocks, extent.length - head - blocks), context);
  }

 private:
  static void stream(const MappedFile& source, const Extent& extent, const CopyContext& context) {
    if (extent.length > 0) strategy(CopyWay::stream).copy(source, extent, context);
  }
  static void share(const MappedFile& source, const Extent& blocks, const CopyContext& context) {
    if (!context.out.append_shared(source.descriptor(), blocks.source_offset, blocks.length))
      return strategy(CopyWay::range).copy(source, blocks, context);
    digest_besides(source, blocks.source_offset, blocks.length, context);
    context.advance(blocks.length);
  }
};

}  // namespace

std::string_view name(CopyWay way) noexcept {
  switch (way) {
    case CopyWay::reflink:
      return "reflink";
    case CopyWay::range:
      return "range";
    case CopyWay::stream:
      return "stream";
  }
  return "";
}

const CopyStrategy& strategy(CopyWay way) noexcept {
  static const Reflink reflink;
  static const Range range;
  static const Stream stream;
  if (way == CopyWay::reflink) return reflink;
  if (way == CopyWay::range) return range;
  return stream;
}

bool is_shareable(const Extent& extent) noexcept {
  return extent.source_offset % kBlock == extent.target_offset % kBlock;
}

void read_through(const MappedFile& file, std::uint64_t offset, std::uint64_t length,
                  const Interrupt& interrupt, function_ref<void(std::span<const std::byte>)> use) {
  const std::uint64_t end = offset + length;
  bool cold = length > kLargestWindow;  // the disk reads the next window while we use this one
  const Reader reader;
  while (offset < end) {
    interrupt.check();
    const Reader::Window room = reader.window();
    std::uint64_t window = std::min(room.size, end - offset);
    // Up to a whole page: what is released are whole pages, and a page of each window would stay.
    if (window < end - offset) window -= (offset + window) % kBlock;
    if (cold) file.will_need(offset + window, std::min(room.size, end - offset - window));
    const auto began = std::chrono::steady_clock::now();
    file.populate(offset, window);
    cold = std::chrono::steady_clock::now() - began > kMemoryTime;
    for (std::uint64_t at = offset; at < offset + window; at += kPiece) {
      use(file.bytes().subspan(at, std::min(kPiece, offset + window - at)));
    }
    file.release(offset, window);
    offset += window;
  }
}

}  // namespace keyshift
