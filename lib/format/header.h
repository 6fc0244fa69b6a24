// The header of a shard: read, validated in one sweep, and written. Rules: FORMAT.md, F1 … F12.
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

#include "format/dtype.h"

namespace keyshift {

/// `__metadata__`: in text order; where a name is repeated its first place and its last value.
using Metadata = std::vector<std::pair<std::string, std::string>>;

/// One entry of a header. A view: key and shape borrow from the Header (and, for keys, from the bytes it was
/// read from).
struct TensorInfo {
  std::string_view key;
  std::span<const std::uint64_t> shape;  // elements per dimension; empty for a scalar
  std::uint64_t begin = 0, end = 0;      // data_offsets: bytes from the start of the data section
  std::uint64_t text_offset = 0;         // bytes from the start of the file to the key's opening quote
  Dtype dtype = Dtype::U8;

  std::uint64_t size() const noexcept { return end - begin; }  // bytes
};

/// What is odd and yet accepted, as the reference accepts it; `lint` and `inspect` speak of it.
struct HeaderOddities {
  std::vector<std::string> repeated_keys;
  bool leading_blanks = false;
  bool entries_as_arrays = false;
  bool empty_metadata = false;  // {} breaks some readers
};

/// A validated header: no hole, no overlap, no overflow, every size is shape × dtype, the end is the file's
/// end.
class Header {
 public:
  /// Reads the header of the file whose bytes are `file_bytes` (the whole file, mapped; only the first 8 + n
  /// bytes and at most 64 behind them are touched, and they must be readable). `file_name` is for messages.
  /// The bytes must outlive the Header. Errors: header_* , metadata_invalid, entry_invalid, dtype_unknown,
  /// offsets_invalid, size_*, data_not_covered; each names the file, the byte offset and, where there is one,
  /// the key.
  static Header read(std::span<const std::byte> file_bytes, const std::string& file_name);

  /// n: bytes of JSON text, padding included.
  std::uint64_t length() const noexcept { return length_; }
  /// 8 + n: where the data section starts in the file.
  std::uint64_t data_start() const noexcept { return 8 + length_; }
  /// Bytes of the data section.
  std::uint64_t data_size() const noexcept { return data_size_; }
  /// In text order, a repeated key at its last place.
  std::span<const TensorInfo> tensors() const noexcept { return tensors_; }
  /// Indices into tensors() in the order of the data section (ties: zero-size tensors, in text order).
  std::span<const std::uint32_t> by_offset() const noexcept { return by_offset_; }
  /// nullopt: absent or null.
  const std::optional<Metadata>& metadata() const noexcept { return metadata_; }
  const HeaderOddities& oddities() const noexcept { return oddities_; }
  /// hash_of_key() of each of tensors().
  std::span<const std::uint64_t> key_hashes() const noexcept { return key_hashes_; }

 private:
  friend class HeaderReader;
  friend class PlainHeaderReader;
  std::uint64_t length_ = 0, data_size_ = 0;
  std::vector<TensorInfo> tensors_;
  std::vector<std::uint64_t> key_hashes_;
  std::vector<std::uint32_t> by_offset_;
  std::vector<std::uint64_t> dimensions_;                     // what the shapes point into
  std::vector<std::unique_ptr<std::string>> unescaped_keys_;  // keys whose text holds escapes
  std::optional<Metadata> metadata_;
  HeaderOddities oddities_;
};

/// The length of the header alone, by F1 … F3, from the first bytes of a file. `first_bytes`: at least 8
/// unless the file is shorter. For who has to bring the header into memory before reading it.
std::uint64_t header_length(std::span<const std::byte> first_bytes, std::uint64_t file_size,
                            const std::string& file_name);

/// One entry to be written; borrows.
struct HeaderEntry {
  std::string_view key;
  std::span<const std::uint64_t> shape;
  std::uint64_t begin = 0, end = 0;
  Dtype dtype = Dtype::U8;
};

/// Where the data section is to start: (8 + n) mod `modulus` == `remainder`. {8, 0} is what the safetensors
/// library does.
struct HeaderPadding {
  std::uint64_t modulus = 8;
  std::uint64_t remainder = 0;
};

/// The first 8 + n bytes of a shard: the length, then strict compact JSON (`{` first, `__metadata__` first in
/// it, then the entries in the given order, raw UTF-8), padded with spaces. Errors: header_too_large when n
/// exceeds 100,000,000.
std::string write_header(std::span<const HeaderEntry> entries, const std::optional<Metadata>& metadata,
                         HeaderPadding padding);

inline constexpr std::uint64_t kMaxHeaderLength = 100'000'000;  // bytes, F2
inline constexpr std::string_view kMetadataKey = "__metadata__";

}  // namespace keyshift
