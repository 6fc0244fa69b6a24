// What the names of files in a checkpoint's folder tell: FORMAT.md, F25 and F28.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keyshift {

/// "model.safetensors", "fp16" → "model.fp16.safetensors" (before the last dot, as transformers does it); the
/// name itself without a variant.
std::string with_variant(std::string_view name, std::string_view variant);
/// The names under which an index of `stem` ("model") is looked for, the likelier first: with a variant the
/// spellings of transformers and of diffusers.
std::vector<std::string> index_names(std::string_view stem, std::string_view variant);

/// model.safetensors.index.json and its variants.
bool is_safetensors_index(std::string_view name);
/// An index of any weight format, e.g. pytorch_model.bin.index.json.
bool is_any_index(std::string_view name);
/// A file that holds weights, of whatever format, by its ending.
bool is_weights(std::string_view name);
/// What keyshift itself leaves behind: receipts, temporaries, journals.
bool is_own(std::string_view name);

/// NAME-00001-of-00003.safetensors, with five digits or more, and what may stand around it in the wild.
struct ShardNumber {
  std::string set;  // the name without its number: what shards of one set share
  std::uint64_t number = 0, count = 0;
};
std::optional<ShardNumber> parse_shard_number(std::string_view name);

}  // namespace keyshift
