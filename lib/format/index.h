// model.safetensors.index.json: read, checked, and written as transformers writes it. Rules: FORMAT.md, F20 …
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "format/key_index.h"

namespace keyshift {

/// key → shard name. The views are good as long as the map or a copy of it.
class WeightMap {
 public:
  using Entry = std::pair<std::string_view, std::string_view>;

  auto begin() noexcept { return entries_.begin(); }
  auto end() noexcept { return entries_.end(); }
  auto begin() const noexcept { return entries_.begin(); }
  auto end() const noexcept { return entries_.end(); }
  std::size_t size() const noexcept { return entries_.size(); }
  bool empty() const noexcept { return entries_.empty(); }
  const Entry& operator[](std::size_t i) const noexcept { return entries_[i]; }
  friend bool operator==(const WeightMap& a, const WeightMap& b) noexcept { return a.entries_ == b.entries_; }

 private:
  friend class IndexReader;
  friend class PlainIndexReader;
  std::vector<Entry> entries_;
  std::shared_ptr<const void> memory_;  // what the views point into
};

struct Index {
  /// weight_map in text order. Where a key is repeated its first place, its last value.
  WeightMap weight_map;
  /// The keys of weight_map, numbered as they stand in it.
  KeyIndex keys;
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

/// A text, and what it lies in.
struct SharedText {
  std::string_view text;
  std::shared_ptr<const void> memory;
};

/// Parses `text`. Errors: index_invalid with place and excerpt, shard_name_unsafe (absolute, drive, `..`, `.`
/// or empty component, backslash, not ending in `.safetensors`), key_reserved is not used here. `file_name`
/// is for messages.
Index read_index(std::string_view text, const std::string& file_name);
/// The same without a copy of the text.
Index read_index(const SharedText& text, const std::string& file_name);

/// As json.dumps(index, indent=2, sort_keys=True) + "\n" in Python: metadata before weight_map, keys sorted,
/// ASCII escapes. `weight_map` in any order. metadata.total_size is set to `total_size` (bytes); the rest of
/// `metadata` (an object or null) is carried over, so total_parameters survives.
std::string write_index(std::span<const WeightMap::Entry> weight_map, std::uint64_t total_size,
                        const json::Node& metadata);

/// Whether a shard name may be joined to a folder: the reason why not, or an empty text. Rules of
/// huggingface_hub 2.4.0 (drives, roots, `..`, ending) and of keyshift (backslashes, control characters but
/// for newline, empty and `.` parts).
std::string unsafe_shard_name(std::string_view name);

}  // namespace keyshift
