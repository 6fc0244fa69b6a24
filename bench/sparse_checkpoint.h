// Checkpoints for benchmarks: real headers over data that takes no space on disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace keyshift::bench {

/// A folder that is there as long as the object.
class SparseCheckpoint {
 public:
  struct Tensor {
    std::string key;
    std::vector<std::uint64_t> shape;  // of BF16
  };

  enum class WithIndex : bool { no, yes };

  /// Spreads `tensors` over `shards` shards in order; the data sections are holes.
  SparseCheckpoint(const std::vector<Tensor>& tensors, std::size_t shards, WithIndex index = WithIndex::yes);
  SparseCheckpoint(const SparseCheckpoint&) = delete;
  SparseCheckpoint& operator=(const SparseCheckpoint&) = delete;
  ~SparseCheckpoint();

  const std::filesystem::path& folder() const { return folder_; }
  std::uint64_t header_bytes() const { return header_bytes_; }
  std::uint64_t data_bytes() const { return data_bytes_; }

 private:
  void write_shard(const std::string& name, const std::vector<Tensor>& tensors, std::size_t begin,
                   std::size_t end);
  void write_index();

  std::filesystem::path folder_;
  std::string weight_map_;  // of the index, while it is made
  std::uint64_t header_bytes_ = 0, data_bytes_ = 0;
};

/// The key table of a DeepSeek-V3 in FP8 as it is published: 61 layers, 256 experts in each of 58, every
/// matrix with its scales; 91,991 keys.
std::vector<SparseCheckpoint::Tensor> deepseek_like_tensors();

}  // namespace keyshift::bench
