#include "format/shard.h"

#include <algorithm>
#include <utility>

namespace keyshift {

Shard::Shard(std::string name, MappedFile file, Header header)
    : name_(std::move(name)), file_(std::move(file)), header_(std::move(header)) {}

Shard Shard::open(const std::filesystem::path& path, std::string name, FileAccess access) {
  MappedFile file = MappedFile::open(path, access);
  const std::string file_name = path.string();
  // Only what has been populated may be read: a file that is being cut must give an Error, not SIGBUS.
  constexpr std::uint64_t kFirstLook = 4096;
  file.populate(0, std::min(file.size(), kFirstLook));
  const std::uint64_t length = header_length(file.bytes(), file.size(), file_name);
  constexpr std::uint64_t kBehind = 64;  // bytes that the JSON reader may look at behind the text
  file.populate(0, std::min(file.size(), 8 + length + kBehind));
  Header header = Header::read(file.bytes(), file_name);
  return Shard(std::move(name), std::move(file), std::move(header));
}

std::span<const std::byte> Shard::bytes(const TensorInfo& tensor) const noexcept {
  return file_.bytes().subspan(header_.data_start() + tensor.begin, tensor.size());
}

std::span<const std::byte> Shard::header_bytes() const noexcept {
  return file_.bytes().first(header_.data_start());
}

}  // namespace keyshift
