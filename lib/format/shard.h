// A shard: one .safetensors file, mapped, with its header read.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "base/mapped_file.h"
#include "format/header.h"

namespace keyshift {

/// Owns the mapping; the header and every view of a tensor borrow from it.
class Shard {
 public:
  /// `name`: the shard's name relative to the checkpoint's folder, as the index spells it. Errors: io, and
  /// those of Header::read.
  static Shard open(const std::filesystem::path& path, std::string name,
                    FileAccess access = FileAccess::automatic);

  const std::string& name() const noexcept { return name_; }
  const MappedFile& file() const noexcept { return file_; }
  const Header& header() const noexcept { return header_; }
  /// The tensor's bytes in the mapping; not in memory until populated.
  std::span<const std::byte> bytes(const TensorInfo& tensor) const noexcept;
  /// The raw header: 8 bytes of length and the JSON text, as they stand in the file.
  std::span<const std::byte> header_bytes() const noexcept;

 private:
  Shard(std::string name, MappedFile file, Header header);
  std::string name_;
  MappedFile file_;
  Header header_;
};

}  // namespace keyshift
