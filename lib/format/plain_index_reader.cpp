#include <span>
#include <utility>

#include "format/index_readers.h"
#include "format/key_index.h"
#include "format/plain_text.h"

namespace keyshift {

class PlainIndexReader {
 public:
  explicit PlainIndexReader(const SharedText& text) : text_(text.text), expected_(text.text.size() / 100) {
    index_.weight_map.memory_ = text.memory;
  }

  std::optional<Index> read() {
    const bool plain = take('{') && take_name("metadata") && read_metadata() && take(',') &&
                       take_name("weight_map") && read_weight_map() && take('}');
    text_.skip_blanks();
    if (!plain || text_.left() != 0) return std::nullopt;
    return std::move(index_);
  }

 private:
  bool take(char wanted) {
    text_.skip_blanks();
    return text_.take(wanted);
  }
  bool take_string(std::string_view& text) {
    text_.skip_blanks();
    return text_.take_string(text);
  }
  bool take_name(std::string_view wanted) {
    std::string_view name;
    return take_string(name) && name == wanted && take(':');
  }

  // Integers under different names.
  bool read_metadata() {
    if (!take('{')) return false;
    index_.metadata.kind = json::Kind::object;
    do {
      std::string_view name;
      if (!(take_string(name) && take(':')) || index_.metadata.find(name) != nullptr) return false;
      text_.skip_blanks();
      const char* const digits = text_.place();
      std::uint64_t value = 0;
      if (!text_.take_integer(value) || index_.metadata.members.size() == kMostMetadata) return false;
      json::Node number;
      number.kind = json::Kind::number;
      number.text.assign(digits, text_.place());
      index_.metadata.members.emplace_back(name, std::move(number));
      if (name == "total_size") index_.total_size = value;
    } while (take(','));
    return take('}');
  }

  bool read_weight_map() {
    if (!take('{')) return false;
    std::vector<WeightMap::Entry>& entries = index_.weight_map.entries_;
    entries.reserve(expected_);
    std::vector<std::uint64_t> hashes;
    hashes.reserve(expected_);
    do {
      std::string_view key;
      if (!(take_string(key) && take(':') && take_shard())) return false;
      entries.emplace_back(key, last_shard_);
      hashes.push_back(hash_of_key(key));
    } while (take(','));
    return take('}') && number_keys(hashes);
  }

  // False if a key comes twice.
  bool number_keys(std::span<const std::uint64_t> hashes) {
    index_.keys = KeyIndex(hashes.size());
    for (std::size_t i = 0; i < hashes.size(); ++i) {
      if (i + KeyIndex::kAhead < hashes.size()) index_.keys.prefetch(hashes[i + KeyIndex::kAhead]);
      if (index_.keys.insert(index_.weight_map[i].first, hashes[i]) != i) return false;
    }
    return true;
  }

  // The same one again and again: one view for all.
  bool take_shard() {
    text_.skip_blanks();
    if (!last_shard_.empty() && text_.take({last_shard_.data() - 1, last_shard_.size() + 2})) return true;
    return text_.take_string(last_shard_) && !last_shard_.empty() && unsafe_shard_name(last_shard_).empty();
  }

  static constexpr std::size_t kMostMetadata = 64;

  PlainText text_;
  std::size_t expected_;
  std::string_view last_shard_;  // stands between quotes in the text
  Index index_;
};

std::optional<Index> read_plain_index(const SharedText& text) { return PlainIndexReader(text).read(); }

}  // namespace keyshift
