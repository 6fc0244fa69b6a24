#include "format/index.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <set>

#include "base/error.h"
#include "base/json_number.h"
#include "format/index_readers.h"
#include "format/key_index.h"

namespace keyshift {

using json::Kind;
using json::Value;

/// Every index that JSON allows.
class IndexReader {
 public:
  IndexReader(std::string_view text, const std::string& file_name) : text_(text), file_name_(file_name) {}

  Index read() {
    index_.weight_map.memory_ = memory_;
    json::Document document(text_, 0,
                            {.file = file_name_,
                             .not_utf8 = ErrorKind::index_invalid,
                             .not_json = ErrorKind::index_invalid,
                             .excerpt = true,
                             .huge_numbers = true});
    document.read([&](Value& root) { read_top(root); });
    return std::move(index_);
  }

 private:
  void read_top(Value& root) {
    if (root.kind() != Kind::object) {
      throw root.error(
          ErrorKind::index_invalid,
          fmt::format("the index is {}, and it must be an object with a weight_map", name(root.kind())));
    }
    bool has_metadata = false;
    root.members([&](const json::Key& key, Value& value) {
      if (key.text == "weight_map") {
        read_weight_map(value);
      } else if (key.text == "metadata") {
        if (has_metadata) index_.warnings.emplace_back("metadata stands in it twice; the last is taken");
        has_metadata = true;
        read_metadata(value);
      } else {
        index_.extra.emplace_back(std::string(key.text), json::to_node(value));
      }
    });
    if (!has_weight_map_) {
      throw Error(ErrorKind::index_invalid, "the index has no weight_map, which tells where each tensor is")
          .in(file_name_);
    }
    if (index_.weight_map.empty()) {
      throw Error(
          ErrorKind::index_invalid,
          "the weight_map is empty: no shard is named, so there is nothing to read; `keyshift reindex` "
          "writes the index that the shards deserve")
          .in(file_name_);
    }
    if (repeated_ > 1) {
      index_.warnings.push_back(fmt::format("{} keys stand in it more than once", repeated_));
    }
    if (!has_metadata)
      index_.warnings.emplace_back("metadata is missing, transformers does not load such an index");
  }

  void read_weight_map(Value& value) {
    if (has_weight_map_) {
      throw value.error(ErrorKind::index_invalid, "weight_map stands in the index twice: which is meant?");
    }
    has_weight_map_ = true;
    if (value.kind() != Kind::object) {
      throw value.error(
          ErrorKind::index_invalid,
          fmt::format("weight_map is {}, and it must be an object from keys to shards", name(value.kind())));
    }
    const std::size_t expected = text_.size() / 100;
    index_.weight_map.entries_.reserve(expected);
    index_.keys = KeyIndex(expected);
    value.members([&](const json::Key& key, Value& member) { read_place(key, member); });
  }

  void read_place(const json::Key& key, Value& value) {
    if (value.kind() != Kind::string) {
      throw value
          .error(ErrorKind::index_invalid,
                 fmt::format("the shard's name is {}, and it must be a string", name(value.kind())))
          .for_key(key.text);
    }
    const std::string_view shard = value.string();
    check_shard_name(key, shard, value);
    const std::uint64_t hash = hash_of_key(key.text);
    const std::uint32_t number = index_.keys.find(key.text, hash);
    if (number == KeyIndex::kNone) {
      const std::string_view name = kept(key.text);
      index_.keys.insert(name, hash);
      index_.weight_map.entries_.emplace_back(name, kept_shard(shard));
      return;
    }
    std::string_view& first = index_.weight_map.entries_[number].second;
    if (repeated_++ == 0) {
      index_.warnings.push_back(
          fmt::format("the key {} stands in it twice, for {} and for {}; the last is taken", quote(key.text),
                      quote(first), quote(shard)));
    }
    first = kept_shard(shard);
  }

  // The document's text does not outlive it.
  std::string_view kept(std::string_view text) { return memory_->emplace_back(text); }
  std::string_view kept_shard(std::string_view shard) {
    if (index_.weight_map.empty() || kept_shard_ != shard) kept_shard_ = kept(shard);
    return kept_shard_;
  }

  void check_shard_name(const json::Key& key, std::string_view shard, Value& value) {
    // The same shard comes again and again.
    if (!shard.empty() && shard == last_shard_) return;
    if (const std::string reason = unsafe_shard_name(shard); !reason.empty()) {
      throw value
          .error(ErrorKind::shard_name_unsafe,
                 fmt::format("the shard's name {} {}: such a path is never followed", quote(shard), reason))
          .for_key(key.text);
    }
    last_shard_ = shard;
  }

  void read_metadata(Value& value) {
    if (value.kind() == Kind::null) {
      value.null();
      index_.metadata = {};
      index_.warnings.emplace_back("metadata is null, transformers does not load such an index");
      return;
    }
    if (value.kind() != Kind::object) {
      throw value.error(ErrorKind::index_invalid,
                        fmt::format("metadata is {}, and it must be an object", name(value.kind())));
    }
    index_.metadata = json::to_node(value);
    index_.total_size.reset();
    const json::Node* size = index_.metadata.find("total_size");
    if (size == nullptr) return;
    if (size->kind == Kind::number) index_.total_size = json::parse_u64(size->text);
    if (!index_.total_size) {
      index_.warnings.push_back(
          fmt::format("metadata.total_size is {}, and it should be a number of bytes",
                      size->kind == Kind::number ? size->text.substr(0, 40) : std::string(name(size->kind))));
    }
  }

  std::string_view text_;
  const std::string& file_name_;
  Index index_;
  bool has_weight_map_ = false;
  std::size_t repeated_ = 0;
  std::string_view last_shard_, kept_shard_;
  std::shared_ptr<std::deque<std::string>> memory_ = std::make_shared<std::deque<std::string>>();
};

namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_forbidden_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\n') || byte == 0x7F;
}

}  // namespace

std::vector<std::string> Index::shard_names() const {
  std::set<std::string_view> names;
  std::string_view last;
  for (const auto& [key, shard] : weight_map) {
    if (shard != last) names.insert(shard);
    last = shard;
  }
  return {names.begin(), names.end()};
}

Index read_any_index(std::string_view text, const std::string& file_name) {
  return IndexReader(text, file_name).read();
}

Index read_index(const SharedText& text, const std::string& file_name) {
  if (auto plain = read_plain_index(text)) return std::move(*plain);
  return read_any_index(text.text, file_name);
}

Index read_index(std::string_view text, const std::string& file_name) {
  const auto copy = std::make_shared<const std::string>(text);
  return read_index({*copy, copy}, file_name);
}

std::string unsafe_shard_name(std::string_view name) {
  if (name.empty()) return "is empty";
  if (name.front() == '/') return "is an absolute path";
  if (name.size() >= 2 && is_letter(name[0]) && name[1] == ':') return "begins with a drive";
  if (name.find('\\') != std::string_view::npos)
    return "holds a backslash, which parts folders on other systems";
  if (std::any_of(name.begin(), name.end(), is_forbidden_control)) return "holds a control character";
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    const std::string_view part = name.substr(begin, end - begin);
    if (part.empty()) return "has an empty part";
    if (part == ".") return "has the part `.`";
    if (part == "..") return "has the part `..`";
    begin = end + 1;
  }
  if (!name.ends_with(".safetensors")) return "does not end in .safetensors";
  return {};
}

}  // namespace keyshift
