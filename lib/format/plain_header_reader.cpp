#include <algorithm>
#include <array>

#include "format/header_layout.h"
#include "format/header_readers.h"
#include "format/key_index.h"
#include "format/plain_text.h"
#include "format/seen_hashes.h"

namespace keyshift {

class PlainHeaderReader {
 public:
  PlainHeaderReader(std::span<const std::byte> file_bytes, const std::string& file_name)
      : file_name_(file_name),
        file_(reinterpret_cast<const char*>(file_bytes.data())),
        file_size_(file_bytes.size()),
        length_(header_length(file_bytes, file_size_, file_name)),
        text_({file_ + 8, static_cast<std::size_t>(length_)}),
        seen_(expected_entries()) {}

  std::optional<Header> read() {
    if (!read_table()) return std::nullopt;
    header_.length_ = length_;
    header_.data_size_ = file_size_ - header_.data_start();
    header_.by_offset_ = check_layout(header_.tensors_, header_.data_start(), file_size_, file_name_);
    return std::move(header_);
  }

 private:
  // An entry rarely takes fewer bytes of text than that.
  std::size_t expected_entries() const { return static_cast<std::size_t>(length_) / 100; }

  bool read_table() {
    if (!text_.take(R"({")")) return false;
    const bool has_metadata = text_.take(R"(__metadata__":{)");
    if (has_metadata && !(read_metadata() && text_.take(R"(,")"))) return false;
    header_.tensors_.reserve(expected_entries());
    header_.key_hashes_.reserve(expected_entries());
    header_.dimensions_.reserve(2 * expected_entries());
    // Each time with the key's opening quote taken.
    while (read_entry()) {
      if (text_.take(R"(,")")) continue;
      return text_.take('}') && text_.only_spaces_left();
    }
    return false;
  }

  // From behind its opening brace on. Whatever a name that comes twice would mean, the other reader knows.
  bool read_metadata() {
    Metadata& metadata = header_.metadata_.emplace();
    do {
      std::string_view name, value;
      if (!(text_.take_string(name) && text_.take(':') && text_.take_string(value))) return false;
      for (const auto& [earlier, _] : metadata)
        if (earlier == name) return false;
      if (metadata.size() == kMostMetadata) return false;
      metadata.emplace_back(name, value);
    } while (text_.take(','));
    return text_.take('}');
  }

  bool read_entry() {
    TensorInfo tensor;
    tensor.text_offset = static_cast<std::uint64_t>(text_.place() - file_) - 1;
    if (!text_.take_string_end(tensor.key) || tensor.key == kMetadataKey) return false;
    const std::uint64_t hash = hash_of_key(tensor.key);
    if (!(seen_.insert(hash) && text_.take(R"(:{"dtype":")") && read_dtype(tensor) &&
          text_.take(R"(,"shape":[)") && read_shape(tensor) && text_.take(R"(,"data_offsets":[)") &&
          text_.take_integer(tensor.begin) && text_.take(',') && text_.take_integer(tensor.end) &&
          text_.take("]}"))) {
      return false;
    }
    header_.key_hashes_.push_back(hash);
    header_.tensors_.push_back(tensor);
    return true;
  }

  bool read_dtype(TensorInfo& tensor) {
    std::string_view text;
    if (!text_.take_string_end(text)) return false;
    if (text.empty() || text != dtype_text_) {  // most are of one type
      const auto dtype = parse_dtype(text);
      if (!dtype) return false;
      dtype_text_ = text;
      dtype_ = *dtype;
    }
    tensor.dtype = dtype_;
    return true;
  }

  bool read_shape(TensorInfo& tensor) {
    if (text_.take(']')) return true;
    std::array<std::uint64_t, kMostDimensions> shape;
    std::size_t rank = 0;
    do {
      if (rank == shape.size() || !text_.take_integer(shape[rank])) return false;
      ++rank;
    } while (text_.take(','));
    if (header_.dimensions_.capacity() - header_.dimensions_.size() < rank) move_dimensions();
    header_.dimensions_.insert(header_.dimensions_.end(), shape.begin(), shape.begin() + rank);
    tensor.shape = std::span(header_.dimensions_).last(rank);
    return text_.take(']');
  }

  // To a larger place, and the shapes that point into it with them.
  void move_dimensions() {
    const std::uint64_t* const old = header_.dimensions_.data();
    std::vector<std::uint64_t> larger;
    larger.reserve(2 * header_.dimensions_.capacity() + kMostDimensions);
    larger.assign(header_.dimensions_.begin(), header_.dimensions_.end());
    for (TensorInfo& tensor : header_.tensors_)
      if (!tensor.shape.empty())
        tensor.shape = {larger.data() + (tensor.shape.data() - old), tensor.shape.size()};
    header_.dimensions_ = std::move(larger);
  }

  static constexpr std::size_t kMostDimensions = 8, kMostMetadata = 64;

  const std::string& file_name_;
  const char* file_;
  std::uint64_t file_size_;
  std::uint64_t length_;
  PlainText text_;
  SeenHashes seen_;
  Header header_;
  std::string_view dtype_text_;
  Dtype dtype_ = Dtype::U8;
};

std::optional<Header> read_plain_header(std::span<const std::byte> file_bytes, const std::string& file_name) {
  return PlainHeaderReader(file_bytes, file_name).read();
}

}  // namespace keyshift
