// Which tensors come into which output shard, and in which order: FORMAT.md, F30 … F34.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plan/shard_layout.h"

namespace keyshift {

/// Each source shard keeps its tensors, their byte order and the order of its header; one of which every
/// tensor is dropped is left out.
std::vector<ShardContents> keep_shards(const KeyTable& keys);

/// All tensors in the order in which they lie, cut as huggingface_hub cuts a state dict at `most` bytes. A
/// key that lies in two shards is written once. `stem`: "model" for model-00001-of-00002.safetensors.
std::vector<ShardContents> spread_by_size(const KeyTable& keys, std::uint64_t most, const std::string& stem);

/// All tensors in one shard of that name.
ShardContents merge_shards(const KeyTable& keys, std::string name);

/// Puts a shard's tensors into the order of the safetensors library: later dtypes first, then by new key.
void make_canonical(const KeyTable& keys, ShardContents& contents);

/// The stem that the shards of a checkpoint have or should have: that of its index or its file if loaders
/// know it, else "model".
std::string shard_stem(const CheckpointPlace& place);
/// The index that belongs to shards of this stem: model.safetensors.index.json for "model".
std::string index_name_for(const std::string& stem);

/// Sentences about `__metadata__` entries that cannot all be kept, for their shards were put together.
std::vector<std::string> metadata_conflicts(const KeyTable& keys, const std::vector<ShardContents>& shards);

}  // namespace keyshift
