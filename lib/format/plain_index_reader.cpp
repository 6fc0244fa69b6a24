#include <utility>

#include "format/index_readers.h"
#include "format/key_index.h"
#include "format/plain_text.h"
#include "format/seen_hashes.h"

namespace keyshift {

class PlainIndexReader {
 public:
  explicit PlainIndexReader(const std::shared_ptr<const std::string>& text)
      : text_(*text), expected_(text->size() / 100), seen_(expected_) {
    index_.weight_map.memory_ = text;
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
    index_.weight_map.entries_.reserve(expected_);
    do {
      std::string_view key, shard;
      if (!(take_string(key) && take(':') && take_string(shard))) return false;
      if (shard.empty() || (shard != last_shard_ && !unsafe_shard_name(shard).empty())) return false;
      // The same one again and again: one view for all.
      if (shard != last_shard_) last_shard_ = shard;
      if (!seen_.insert(hash_of_key(key))) return false;
      index_.weight_map.entries_.emplace_back(key, last_shard_);
    } while (take(','));
    return take('}');
  }

  static constexpr std::size_t kMostMetadata = 64;

  PlainText text_;
  std::size_t expected_;
  SeenHashes seen_;
  std::string_view last_shard_;
  Index index_;
};

std::optional<Index> read_plain_index(const std::shared_ptr<const std::string>& text) {
  return PlainIndexReader(text).read();
}

}  // namespace keyshift
