#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "base/json.h"
#include "format/header.h"
#include "format/header_layout.h"
#include "format/header_readers.h"
#include "format/key_index.h"

namespace keyshift {

using json::Kind;
using json::Value;

/// One pass over the JSON text of a header (FORMAT.md, F4 … F8), then the sweep over what it holds.
class HeaderReader {
 public:
  HeaderReader(std::span<const std::byte> file_bytes, const std::string& file_name)
      : file_name_(file_name), file_size_(file_bytes.size()) {
    header_.length_ = header_length(file_bytes, file_size_, file_name);
    header_.data_size_ = file_size_ - header_.data_start();
    text_ = {reinterpret_cast<const char*>(file_bytes.data()) + 8, static_cast<std::size_t>(header_.length_)};
  }

  Header read() {
    reserve();
    // simdjson may look at the bytes behind the text where there are enough of them.
    json::Document document(text_, header_.data_size_, {.file = file_name_, .offset = 8});
    document.read([&](Value& root) { read_table(root); });
    finish_table();
    header_.by_offset_ = check_layout(header_.tensors_, header_.data_start(), file_size_, file_name_);
    return std::move(header_);
  }

 private:
  // What an entry needs beside its TensorInfo until the table is complete.
  struct Draft {
    std::size_t shape_begin = 0;  // in dimensions_
    std::uint32_t rank = 0;
    bool replaced = false;  // by a later entry of the same key
  };

  // An entry rarely takes fewer bytes of text than that; what is reserved in vain is never touched.
  void reserve() {
    const std::size_t expected = text_.size() / 100;
    header_.tensors_.reserve(expected);
    header_.key_hashes_.reserve(expected);
    header_.dimensions_.reserve(2 * expected);
    drafts_.reserve(expected);
    last_entry_.reserve(expected);
    keys_ = KeyIndex(expected);
  }
  struct Fields {
    bool dtype = false, shape = false, offsets = false;
  };

  Error error(ErrorKind kind, Value& value, std::string message) const {
    return value.error(kind, std::move(message)).for_key(header_.tensors_.back().key);
  }

  void read_table(Value& root) {
    if (root.kind() != Kind::object) {
      throw root.error(
          ErrorKind::header_not_object,
          fmt::format("the header is {}, and it must be an object of tensors", name(root.kind())));
    }
    header_.oddities_.leading_blanks = root.offset() != 8;
    root.members([&](const json::Key& key, Value& value) {
      if (key.text == kMetadataKey) {
        read_metadata(value);
      } else {
        read_entry(key, value);
      }
    });
  }

  void read_metadata(Value& value) {
    if (has_metadata_) {
      throw value.error(ErrorKind::metadata_invalid,
                        "__metadata__ stands in the header twice, and it may once");
    }
    has_metadata_ = true;
    if (value.kind() == Kind::null) return value.null();
    if (value.kind() != Kind::object) {
      throw value.error(ErrorKind::metadata_invalid,
                        fmt::format("__metadata__ is {}, and it must be an object of strings, or null",
                                    name(value.kind())));
    }
    Metadata& metadata = header_.metadata_.emplace();
    std::unordered_map<std::string, std::size_t> places;
    value.members([&](const json::Key& key, Value& member) {
      if (member.kind() != Kind::string) {
        throw member.error(ErrorKind::metadata_invalid,
                           fmt::format("the value of {} in __metadata__ is {}, and it must be a string",
                                       quote(key.text), name(member.kind())));
      }
      const auto [place, is_new] = places.try_emplace(std::string(key.text), metadata.size());
      if (is_new) metadata.emplace_back(place->first, "");
      metadata[place->second].second = member.string();
    });
    header_.oddities_.empty_metadata = metadata.empty();
  }

  void read_entry(const json::Key& key, Value& value) {
    add_key(key);
    Fields fields;
    if (value.kind() == Kind::array) {
      header_.oddities_.entries_as_arrays = true;
      read_entry_array(value);
      return;
    }
    if (value.kind() != Kind::object) {
      throw error(ErrorKind::entry_invalid, value,
                  fmt::format("the tensor is described by {}, and it must be an object with dtype, shape and "
                              "data_offsets",
                              name(value.kind())));
    }
    value.members([&](const json::Key& field, Value& member) { read_field(field.text, member, fields); });
    if (const char* missing = !fields.dtype     ? "dtype"
                              : !fields.shape   ? "shape"
                              : !fields.offsets ? "data_offsets"
                                                : nullptr) {
      throw Error(ErrorKind::entry_invalid, fmt::format("the tensor's {} is missing", missing))
          .in(file_name_)
          .at(key.offset)
          .for_key(header_.tensors_.back().key);
    }
  }

  void add_key(const json::Key& key) {
    std::string_view text = key.text;
    if (!key.in_source) {
      header_.unescaped_keys_.push_back(std::make_unique<std::string>(text));
      text = *header_.unescaped_keys_.back();
    }
    const std::uint32_t known = keys_.size();
    const std::uint64_t hash = hash_of_key(text);
    const std::uint32_t number = keys_.insert(text, hash);
    const auto entry = static_cast<std::uint32_t>(header_.tensors_.size());
    if (number == known) {
      last_entry_.push_back(entry);
    } else {
      drafts_[last_entry_[number]].replaced = true;
      last_entry_[number] = entry;
      header_.oddities_.repeated_keys.emplace_back(text);
    }
    header_.tensors_.push_back({.key = text, .shape = {}, .text_offset = key.offset});
    header_.key_hashes_.push_back(hash);
    drafts_.emplace_back();
  }

  void read_field(std::string_view field, Value& value, Fields& fields) {
    const auto once = [&](bool& seen) {
      if (seen) {
        throw error(ErrorKind::entry_invalid, value,
                    fmt::format("the tensor has {} twice, and it may once", field));
      }
      seen = true;
    };
    if (field == "dtype") {
      once(fields.dtype);
      read_dtype(value);
    } else if (field == "shape") {
      once(fields.shape);
      read_shape(value);
    } else if (field == "data_offsets") {
      once(fields.offsets);
      read_offsets(value);
    }
  }

  void read_entry_array(Value& value) {
    int count = 0;
    const auto wrong_count = [&] {
      return error(ErrorKind::entry_invalid, value,
                   "the tensor is described by an array, which must hold dtype, shape and data_offsets");
    };
    value.elements([&](Value& element) {
      switch (count++) {
        case 0:
          return read_dtype(element);
        case 1:
          return read_shape(element);
        case 2:
          return read_offsets(element);
        default:
          throw wrong_count();
      }
    });
    if (count != 3) throw wrong_count();
  }

  void set_dtype(std::string_view text, Value& value) {
    const auto dtype = parse_dtype(text);
    if (!dtype) {
      throw error(ErrorKind::dtype_unknown, value,
                  fmt::format("the dtype {} is none of the {} that safetensors 0.8.0 knows", quote(text, 60),
                              kDtypeCount));
    }
    header_.tensors_.back().dtype = *dtype;
  }

  void read_dtype(Value& value) {
    if (value.kind() == Kind::string) return set_dtype(value.string(), value);
    if (value.kind() != Kind::object) throw wrong_dtype(value);
    // The reference's reader also takes {"F32": null}.
    int count = 0;
    value.members([&](const json::Key& key, Value& member) {
      if (++count > 1) throw wrong_dtype(value);
      set_dtype(key.text, member);
      if (member.kind() != Kind::null) throw wrong_dtype(value);
      member.null();
    });
    if (count != 1) throw wrong_dtype(value);
  }

  Error wrong_dtype(Value& value) const {
    return error(ErrorKind::entry_invalid, value,
                 fmt::format("the dtype is {}, and it must be a string", name(value.kind())));
  }

  std::uint64_t read_u64(Value& value, std::string_view what) {
    if (value.kind() == Kind::number) {
      if (const auto number = value.u64()) return *number;
      throw error(ErrorKind::entry_invalid, value,
                  fmt::format("{} holds a number that is no integer from 0 to 2^64-1", what));
    }
    throw error(ErrorKind::entry_invalid, value,
                fmt::format("{} holds {}, and it must hold integers", what, name(value.kind())));
  }

  void read_shape(Value& value) {
    if (value.kind() != Kind::array) {
      throw error(ErrorKind::entry_invalid, value,
                  fmt::format("shape is {}, and it must be an array of integers", name(value.kind())));
    }
    Draft& draft = drafts_.back();
    draft.shape_begin = header_.dimensions_.size();
    value.elements([&](Value& element) { header_.dimensions_.push_back(read_u64(element, "shape")); });
    draft.rank = static_cast<std::uint32_t>(header_.dimensions_.size() - draft.shape_begin);
  }

  void read_offsets(Value& value) {
    if (value.kind() != Kind::array) {
      throw error(
          ErrorKind::entry_invalid, value,
          fmt::format("data_offsets is {}, and it must be an array of two integers", name(value.kind())));
    }
    TensorInfo& tensor = header_.tensors_.back();
    int count = 0;
    value.elements([&](Value& element) {
      const std::uint64_t number = read_u64(element, "data_offsets");
      if (count == 0) tensor.begin = number;
      if (count == 1) tensor.end = number;
      ++count;
    });
    if (count != 2) {
      throw error(ErrorKind::entry_invalid, value,
                  fmt::format("data_offsets holds {} integers, and it must hold two", count));
    }
  }

  // Leaves out what was replaced, and points the shapes into the dimensions, which no longer move.
  void finish_table() {
    auto& tensors = header_.tensors_;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      if (drafts_[i].replaced) continue;
      tensors[kept] = tensors[i];
      header_.key_hashes_[kept] = header_.key_hashes_[i];
      tensors[kept].shape = std::span(header_.dimensions_).subspan(drafts_[i].shape_begin, drafts_[i].rank);
      ++kept;
    }
    tensors.resize(kept);
    header_.key_hashes_.resize(kept);
  }

  const std::string& file_name_;
  std::uint64_t file_size_;
  std::string_view text_;
  Header header_;
  std::vector<Draft> drafts_;
  KeyIndex keys_;
  std::vector<std::uint32_t> last_entry_;  // by the number of a key in keys_
  bool has_metadata_ = false;
};

Header read_any_header(std::span<const std::byte> file_bytes, const std::string& file_name) {
  return HeaderReader(file_bytes, file_name).read();
}

Header Header::read(std::span<const std::byte> file_bytes, const std::string& file_name) {
  if (auto plain = read_plain_header(file_bytes, file_name)) return std::move(*plain);
  return read_any_header(file_bytes, file_name);
}

}  // namespace keyshift
