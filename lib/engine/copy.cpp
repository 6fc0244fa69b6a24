#include "engine/copy.h"

#include <algorithm>

namespace keyshift {

namespace {

// What is brought into memory at once, and what is digested and written at once: the second fits into a
// processor's own cache, so that three readers (tensor digest, file digest, write) cost one trip to memory.
constexpr std::uint64_t kWindow = 8U << 20U;   // bytes
constexpr std::uint64_t kPiece = 512U << 10U;  // bytes

// Cuts a stream of bytes, which are the shard's tensors one after another, into a digest for each.
class TensorDigests {
 public:
  explicit TensorDigests(std::span<const PlannedTensor> tensors) : tensors_(tensors) {
    digests_.reserve(tensors.size());
    finish_complete();
  }

  void update(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const std::uint64_t left = tensors_[digests_.size()].size - seen_;
      const auto part = bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(left, bytes.size())));
      hasher_.update(part);
      seen_ += part.size();
      bytes = bytes.subspan(part.size());
      finish_complete();
    }
  }

  std::vector<Digest> take() { return std::move(digests_); }

 private:
  void finish_complete() {
    while (digests_.size() < tensors_.size() && seen_ == tensors_[digests_.size()].size) {
      digests_.push_back(hasher_.value());
      hasher_.reset();
      seen_ = 0;
    }
  }

  std::span<const PlannedTensor> tensors_;
  std::vector<Digest> digests_;
  Hasher hasher_;
  std::uint64_t seen_ = 0;  // bytes of the tensor that is not complete yet
};

// Hands `length` bytes from `offset` to `use`, piece by piece, and lets go of the memory behind it.
template <class Use>
void read_through(const MappedFile& file, std::uint64_t offset, std::uint64_t length,
                  const Interrupt& interrupt, Use&& use) {
  const std::uint64_t end = offset + length;
  while (offset < end) {
    interrupt.check();
    const std::uint64_t window = std::min(kWindow, end - offset);
    file.populate(offset, window);
    for (std::uint64_t at = offset; at < offset + window; at += kPiece) {
      use(file.bytes().subspan(at, std::min(kPiece, offset + window - at)));
    }
    file.release(offset, window);
    offset += window;
  }
}

}  // namespace

std::vector<Digest> copy_shard(const Checkpoint& checkpoint, const PlannedShard& shard, OutputStream& out,
                               Progress& progress, const Interrupt& interrupt, Hasher* source_file) {
  TensorDigests digests(shard.tensors);
  out.write(shard.header);
  for (const Extent& extent : shard.extents) {
    const MappedFile& file = checkpoint.shards()[extent.source_shard].file();
    read_through(file, extent.source_offset, extent.length, interrupt, [&](std::span<const std::byte> piece) {
      digests.update(piece);
      if (source_file != nullptr) source_file->update(piece);
      out.write(piece);
      progress.advance(piece.size());
    });
    file.check_unchanged();
  }
  return digests.take();
}

void copy_file(const MappedFile& file, OutputStream& out, Progress& progress, const Interrupt& interrupt) {
  read_through(file, 0, file.size(), interrupt, [&](std::span<const std::byte> piece) {
    out.write(piece);
    progress.advance(piece.size());
  });
  file.check_unchanged();
}

}  // namespace keyshift
