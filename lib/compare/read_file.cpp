#include "compare/read_file.h"

#include <algorithm>
#include <vector>

#include "base/file_system.h"

namespace keyshift {

void read_file(const MappedFile& file, std::uint64_t offset, std::uint64_t size, const Interrupt& interrupt,
               function_ref<void(std::span<const std::byte>)> use) {
  constexpr std::uint64_t kPiece = 512U << 10U;  // bytes: several digests of it cost one trip to memory
  std::vector<std::byte> buffer(static_cast<std::size_t>(std::min(kPiece, size)));
  for (std::uint64_t at = offset; at < offset + size;) {
    interrupt.check();
    const auto piece = std::span(buffer).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, offset + size - at)));
    read_exactly(file.descriptor(), file.path(), at, piece);
    use(piece);
    at += piece.size();
  }
  file.check_unchanged();
}

}  // namespace keyshift
