// The plan: a fixed description of all outputs. Headers are written out, every byte's way is known; the
// engine only copies.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "format/checkpoint.h"
#include "format/config_modules.h"
#include "plan/key_table.h"

namespace keyshift {

/// One source byte range and where it goes.
struct Extent {
  std::uint32_t source_shard = 0;   // index into checkpoint.shards()
  std::uint64_t source_offset = 0;  // bytes from the start of that file
  std::uint64_t target_offset = 0;  // bytes from the start of the output shard
  std::uint64_t length = 0;         // bytes
};

/// One tensor of an output shard; borrows its key from the key table.
struct PlannedTensor {
  std::size_t row = 0;              // of the key table
  std::uint64_t source_offset = 0;  // bytes from the start of the source file
  std::uint64_t size = 0;           // bytes
};

struct PlannedShard {
  std::string name;                    // relative to the target folder
  std::string header;                  // the first 8 + n bytes
  std::vector<Extent> extents;         // in the order of target offsets, without gaps, after the header
  std::vector<PlannedTensor> tensors;  // in the order of the data section
  std::uint64_t size = 0;              // bytes of the whole file
  /// The source shard that this one is with new names, where there is such a one; it may have lost tensors.
  std::optional<std::uint32_t> source;
};

/// A side file in which names follow the tensors'.
struct RewrittenFile {
  std::string name, before;
  ConfigRewrite after;
  bool changed() const noexcept { return after.text != before; }
};

/// Immutable once made. Borrows the checkpoint and the key table, which must outlive it.
struct Plan {
  const KeyTable* keys = nullptr;
  std::vector<PlannedShard> shards;
  std::optional<std::string> index_name, index_text;
  std::vector<std::string> side_files;   // relative to the source folder
  std::vector<RewrittenFile> rewritten;  // of side_files, those that were looked into
  std::vector<std::string> warnings;

  std::uint64_t data_bytes() const noexcept;    // tensor bytes to be moved
  std::uint64_t output_bytes() const noexcept;  // all shards and the index
};

/// Where a shard's tensors lie in it (FORMAT.md, F30 and F31).
enum class Layout : std::uint8_t {
  keep,       // as they lay; the header is padded so that blocks can be shared
  canonical,  // the very bytes that the safetensors library writes
};

struct PlanOptions {
  /// The shard's name if the output is to be a single file: several source shards are then put together.
  std::optional<std::string> single_file_name;
  Layout layout = Layout::keep;
  /// Bytes of tensors in a shard, as huggingface_hub counts them; without it shards stay what they are.
  std::optional<std::uint64_t> max_shard_size;
  unsigned jobs = 1;  // threads that write headers
};

/// Lays out every output shard. `keys` must have been checked; rows that are dropped are left out. Errors:
/// header_too_large; usage (no tensor is left; several shards for a single file).
Plan make_plan(const KeyTable& keys, const PlanOptions& options);

}  // namespace keyshift
