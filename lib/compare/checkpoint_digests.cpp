#include "compare/checkpoint_digests.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/mapped_file.h"
#include "base/parallel.h"
#include "compare/read_file.h"
#include "receipt/receipt.h"

namespace keyshift {

namespace fs = std::filesystem;

namespace {

CheckpointFile describe(const fs::path& folder, CheckpointFile::Kind kind, const std::string& name) {
  const MappedFile file = MappedFile::open(folder / name);
  std::error_code ignored;
  return {kind, name, file.size(), 0, fs::is_symlink(folder / name, ignored)};
}

// All digests that are wanted of one file, fed with its bytes from first to last.
class Digesting {
 public:
  Digesting(const Shard* shard, const DigestWants& wants)
      : wants_(wants), shard_(wants.tensors ? shard : nullptr) {
    if (wants.sha256) sha256_.emplace();
    if (shard_ != nullptr) digests_.shard.emplace();
  }

  void update(std::span<const std::byte> bytes) {
    file_.update(bytes);
    if (sha256_) sha256_->update(bytes);
    if (wants_.sha256_pieces != 0) update_pieces(bytes);
    if (shard_ != nullptr) update_shard(bytes);
  }

  FileDigests finish() {
    digests_.xxh3_128 = file_.value();
    if (sha256_) digests_.sha256 = sha256_->value();
    if (piece_) digests_.pieces.push_back(piece_->value());
    if (shard_ != nullptr) finish_shard();
    return std::move(digests_);
  }

 private:
  void update_pieces(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      if (!piece_) piece_.emplace();
      const auto part = bytes.first(
          static_cast<std::size_t>(std::min<std::uint64_t>(wants_.sha256_pieces - in_piece_, bytes.size())));
      piece_->update(part);
      in_piece_ += part.size();
      bytes = bytes.subspan(part.size());
      if (in_piece_ != wants_.sha256_pieces) continue;
      digests_.pieces.push_back(piece_->value());
      piece_.reset();
      in_piece_ = 0;
    }
  }

  void update_shard(std::span<const std::byte> bytes) {
    const std::uint64_t data_start = shard_->header().data_start();
    if (at_ < data_start) {
      const auto part =
          bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(data_start - at_, bytes.size())));
      header_.update(part);
      at_ += part.size();
      bytes = bytes.subspan(part.size());
    }
    data_.update(bytes);
    while (!bytes.empty()) {
      const TensorInfo& tensor = next_tensor();
      const std::uint64_t left = data_start + tensor.end - at_;
      const auto part = bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(left, bytes.size())));
      tensor_.update(part);
      at_ += part.size();
      bytes = bytes.subspan(part.size());
      if (part.size() == left) finish_tensor();
    }
  }

  // The one that the next byte belongs to: those of no bytes are done before it.
  const TensorInfo& next_tensor() {
    while (tensor_at(next_).size() == 0) finish_tensor();
    return tensor_at(next_);
  }
  const TensorInfo& tensor_at(std::size_t i) const {
    return shard_->header().tensors()[shard_->header().by_offset()[i]];
  }

  void finish_tensor() {
    std::vector<Digest>& tensors = digests_.shard->tensors;
    tensors.resize(shard_->header().tensors().size());
    tensors[shard_->header().by_offset()[next_++]] = tensor_.value();
    tensor_.reset();
  }

  void finish_shard() {
    while (next_ < shard_->header().tensors().size()) finish_tensor();
    digests_.shard->header_size = shard_->header().data_start();
    digests_.shard->header = header_.value();
    digests_.shard->data = data_.value();
  }

  const DigestWants& wants_;
  const Shard* shard_;
  Hasher file_, header_, data_, tensor_;
  std::optional<ShaHasher> sha256_, piece_;
  std::uint64_t in_piece_ = 0;  // bytes
  std::uint64_t at_ = 0;        // in the shard
  std::size_t next_ = 0;        // in the order of the data section
  FileDigests digests_;
};

}  // namespace

std::vector<CheckpointFile> files_of(const CheckpointPlace& place) {
  std::vector<CheckpointFile> files;
  for (std::size_t i = 0; i < place.shard_names.size(); ++i) {
    files.push_back(describe(place.folder, CheckpointFile::Kind::shard, place.shard_names[i]));
    files.back().shard = i;
  }
  if (place.index_name && !place.is_single_file)
    files.push_back(describe(place.folder, CheckpointFile::Kind::index, *place.index_name));
  for (const std::string& name : place.side_files)
    files.push_back(describe(place.folder, CheckpointFile::Kind::side_file, name));
  const auto receipt = find_receipt(
      place.folder, place.is_single_file ? std::optional(place.shard_names.front()) : std::nullopt);
  if (receipt)
    files.push_back(describe(place.folder, CheckpointFile::Kind::receipt, receipt->filename().string()));
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return files;
}

std::vector<FileDigests> digest_files(const Checkpoint& checkpoint, const std::vector<CheckpointFile>& files,
                                      const DigestWants& wants, unsigned jobs,
                                      const std::function<void(std::uint64_t)>& advance,
                                      const Interrupt& interrupt) {
  std::vector<FileDigests> digests(files.size());
  for_each_parallel(files.size(), jobs, [&](std::size_t i) {
    const bool is_shard = files[i].kind == CheckpointFile::Kind::shard;
    const Shard* shard = is_shard ? &checkpoint.shards()[files[i].shard] : nullptr;
    Digesting digesting(shard, wants);
    const auto use = [&](std::span<const std::byte> piece) {
      digesting.update(piece);
      advance(piece.size());
    };
    if (is_shard) {
      read_file(shard->file(), 0, shard->file().size(), interrupt, use);
    } else {
      const MappedFile file = MappedFile::open(checkpoint.place().folder / files[i].name);
      read_file(file, 0, file.size(), interrupt, use);
    }
    digests[i] = digesting.finish();
  });
  return digests;
}

std::string content_line(std::string_view dtype, std::span<const std::uint64_t> shape, const Digest& digest) {
  return fmt::format("{} [{}] {}\n", dtype, fmt::join(shape, ","), digest.hex());
}

Digest content_digest(std::vector<std::string> lines) {
  std::sort(lines.begin(), lines.end());
  Hasher hasher;
  for (const std::string& line : lines) hasher.update(std::as_bytes(std::span(line)));
  return hasher.value();
}

}  // namespace keyshift
