// A checkpoint: all shards and the index of one model, found from any path that names it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "format/index.h"
#include "format/shard.h"

namespace keyshift {

struct OpenOptions {
  std::string variant{};   // "fp16": model.fp16.safetensors, model.safetensors.index.fp16.json
  std::string revision{};  // for a hub cache folder: a commit or a name in refs/; empty is main, else the
                           // only snapshot
  /// Open shards although the index promises keys that they lack (for lint and reindex, which mend that).
  bool tolerate_index_mismatch = false;
  /// Besides, let an index that names a part of a complete numbered set stand for the whole set (for
  /// reindex).
  bool complete_the_set = false;
  unsigned jobs = 1;                          // threads that read headers
  FileAccess access = FileAccess::automatic;  // how shards are read, headers and tensors
};

/// Where a checkpoint lies; nothing of it has been read yet but directory entries and the index.
struct CheckpointPlace {
  std::filesystem::path folder;            // what shard names are relative to
  std::optional<std::string> index_name;   // file name of the index, relative to folder
  std::vector<std::string> shard_names;    // relative to folder, in the order in which loaders read them
  bool is_single_file = false;             // the path named one .safetensors file: no side files belong to it
  std::vector<std::string> side_files;     // relative; config, tokenizer, code … : what goes along
  std::vector<std::string> other_weights;  // relative; weights that do not belong to this checkpoint
  std::vector<std::string> warnings;
  std::optional<std::filesystem::path> hub_cache;  // the models--org--name folder, if the path lies in one
};

/// Finds what `path` names: a `.safetensors` file, an index file, a folder (what transformers would load from
/// it), or a hub cache folder. Errors: checkpoint_not_found, checkpoint_ambiguous (naming the candidates),
/// index_invalid, shard_name_unsafe, shard_missing, io.
CheckpointPlace find_checkpoint(const std::filesystem::path& path, const OpenOptions& options = {});

/// A checkpoint with every header read and checked against the index. Movable; views of its tensors stay
/// valid.
class Checkpoint {
 public:
  /// Errors: those of find_checkpoint and Shard::open; index_mismatch (the index promises a key that no shard
  /// has); key_in_two_shards.
  static Checkpoint open(const std::filesystem::path& path, const OpenOptions& options = {});

  const CheckpointPlace& place() const noexcept { return place_; }
  const std::vector<Shard>& shards() const noexcept { return shards_; }
  const std::optional<Index>& index() const noexcept { return index_; }
  /// The index file as it stands; empty without one.
  std::string_view index_text() const noexcept { return index_text_.text; }
  /// The tensors in the order in which the index lists them, each by its number when those of all headers are
  /// counted through. Empty unless index and headers name the same tensors, each once.
  const std::vector<std::uint32_t>& listed_order() const noexcept { return listed_order_; }
  /// Everything odd and yet accepted, as sentences that name their file.
  const std::vector<std::string>& warnings() const noexcept { return warnings_; }
  std::uint64_t tensor_count() const noexcept;
  /// Sum of the sizes of all tensors in bytes: what total_size should say.
  std::uint64_t total_size() const noexcept;

 private:
  CheckpointPlace place_;
  std::vector<Shard> shards_;
  std::optional<Index> index_;
  SharedText index_text_;
  std::vector<std::uint32_t> listed_order_;
  std::vector<std::string> warnings_;
};

}  // namespace keyshift
