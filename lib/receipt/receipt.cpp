#include "receipt/receipt.h"

#include "base/file_system.h"

namespace keyshift {

namespace fs = std::filesystem;

std::string receipt_name_beside(std::string_view shard_name) {
  constexpr std::string_view kEnding = ".safetensors";
  if (shard_name.ends_with(kEnding)) shard_name.remove_suffix(kEnding.size());
  return std::string(shard_name) + "." + std::string(kReceiptName);
}

std::optional<fs::path> find_receipt(const fs::path& folder, const std::optional<std::string>& single_file) {
  const fs::path path =
      folder / (single_file ? receipt_name_beside(*single_file) : std::string(kReceiptName));
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return std::nullopt;
  return path;
}

Receipt read_receipt(const fs::path& path) {
  constexpr std::uint64_t kLimit = std::uint64_t{4}
                                   << 30U;  // bytes; a receipt of a million tensors has 0.2 GB
  return parse_receipt(read_small_file(path, kLimit), path.string());
}

}  // namespace keyshift
