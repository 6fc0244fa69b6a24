#include "receipt/receipt.h"

#include <algorithm>

#include "base/file_system.h"
#include "base/json_writer.h"

namespace keyshift {

namespace fs = std::filesystem;

DigestsHeld digests_held(const Receipt& receipt) noexcept {
  bool held = false, lacking = false;
  for (const Receipt::Tensor& tensor : receipt.tensors) {
    if (tensor.to) (tensor.digest ? held : lacking) = true;
  }
  if (!lacking) return DigestsHeld::all;
  return held ? DigestsHeld::some : DigestsHeld::none;
}

std::string_view Receipt::keep(std::string text) {
  return *kept.emplace_back(std::make_shared<const std::string>(std::move(text)));
}

Digest digest_of_target(const TargetKeys& target) {
  std::vector<std::string_view> keys(target.keys.begin(), target.keys.end());
  std::sort(keys.begin(), keys.end());
  json::Writer array;
  array.begin_array();
  for (const std::string_view key : keys) array.string(key);
  return digest_of(array.end_array().text());
}

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
  constexpr std::uint64_t kLimit = std::uint64_t{1} << 30U;  // bytes; one of a million tensors has 0.2 GB
  return parse_receipt(read_small_file(path, kLimit), path.string());
}

}  // namespace keyshift
