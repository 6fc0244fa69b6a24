// model.safetensors.index.json: read, checked, and written as transformers writes it. Rules: FORMAT.md, F20 …
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"

namespace keyshift {

struct Index {
  /// weight_map in text order: key → shard name. Where a key is repeated its first place, its last value.
  std::vector<std::pair<std::string, std::string>> weight_map;
  /// metadata.total_size when it is a u64; else nullopt.
  std::optional<std::uint64_t> total_size;
  /// The whole "metadata" object (Kind::null when absent or null) and other members of the top level, carried
  /// along.
  json::Node metadata;
  std::vector<std::pair<std::string, json::Node>> extra;
  /// Odd and yet accepted: repeated keys, metadata null, total_size of a wrong type. Sentences without the
  /// file's name.
  std::vector<std::string> warnings;

  /// Shard names, each once, sorted by bytes as the loaders sort them.
  std::vector<std::string> shard_names() const;
};

/// Parses `text`. Errors: index_invalid with place and excerpt, shard_name_unsafe (absolute, drive, `..`, `.`
/// or empty component, backslash, not ending in `.safetensors`), key_reserved is not used here. `file_name`
/// is for messages.
Index read_index(std::string_view text, const std::string& file_name);

/// As json.dumps(index, indent=2, sort_keys=True) + "\n" in Python: metadata before weight_map, keys sorted,
/// ASCII escapes. `weight_map` in any order. metadata.total_size is set to `total_size` (bytes); the rest of
/// `metadata` (an object or null) is carried over, so total_parameters survives.
std::string write_index(const std::vector<std::pair<std::string_view, std::string_view>>& weight_map,
                        std::uint64_t total_size, const json::Node& metadata);

/// Whether a shard name may be joined to a folder: the reason why not, or an empty text. Rules of
/// huggingface_hub 2.4.0 (drives, roots, `..`, ending) and of keyshift (backslashes, control characters but
/// for newline, empty and `.` parts).
std::string unsafe_shard_name(std::string_view name);

}  // namespace keyshift
