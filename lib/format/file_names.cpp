#include "format/file_names.h"

#include <algorithm>
#include <array>

#include "base/json_number.h"

namespace keyshift {

namespace {

constexpr std::array kWeightEndings = std::to_array<std::string_view>(
    {".safetensors", ".bin",    ".pt",        ".pth",  ".ckpt", ".h5",       ".keras",  ".gguf",   ".ggml",
     ".msgpack",     ".onnx",   ".onnx_data", ".ot",   ".npz",  ".npy",      ".pkl",    ".pickle", ".tflite",
     ".mlmodel",     ".engine", ".distcp",    ".nemo", ".dduf", ".pdparams", ".tensors"});

constexpr std::array<std::string_view, 4> kIndexed = {".safetensors.", ".bin.", ".h5.", ".msgpack."};

bool is_index_of(std::string_view name, std::string_view format) {
  const std::size_t at = name.find(format);
  if (at == std::string_view::npos || !name.ends_with(".json")) return false;
  const std::string_view rest = name.substr(at + format.size() - 1);  // ".index.json", ".index.fp16.json" …
  return rest.find(".index.") != std::string_view::npos;
}

std::size_t digits_at(std::string_view text) {
  return static_cast<std::size_t>(
      std::find_if(text.begin(), text.end(), [](char c) { return c < '0' || c > '9'; }) - text.begin());
}

std::optional<std::uint64_t> number_of(std::string_view digits) {
  if (digits.size() < 5 || digits.size() > 9) return std::nullopt;
  const std::size_t first = std::min(digits.find_first_not_of('0'), digits.size() - 1);
  return json::parse_u64(digits.substr(first));
}

}  // namespace

std::string with_variant(std::string_view name, std::string_view variant) {
  if (variant.empty()) return std::string(name);
  const std::size_t dot = name.rfind('.');
  std::string out(name.substr(0, dot));
  out += '.';
  out += variant;
  out += name.substr(dot);
  return out;
}

std::vector<std::string> index_names(std::string_view stem, std::string_view variant) {
  const std::string file = std::string(stem) + ".safetensors";
  if (variant.empty()) return {file + ".index.json"};
  const std::string middle = '.' + std::string(variant);
  return {file + ".index" + middle + ".json", file + middle + ".index.json",
          std::string(stem) + middle + ".safetensors.index.json"};
}

bool is_safetensors_index(std::string_view name) { return is_index_of(name, ".safetensors."); }

bool is_any_index(std::string_view name) {
  return std::any_of(kIndexed.begin(), kIndexed.end(),
                     [&](auto format) { return is_index_of(name, format); });
}

bool is_weights(std::string_view name) {
  return std::any_of(kWeightEndings.begin(), kWeightEndings.end(),
                     [&](auto ending) { return name.ends_with(ending); });
}

bool is_own(std::string_view name) {
  return name == "keyshift-receipt.json" || name.find(".keyshift-") != std::string_view::npos;
}

std::optional<ShardNumber> parse_shard_number(std::string_view name) {
  constexpr std::string_view kEnding = ".safetensors";
  constexpr std::string_view kOf = "-of-";
  if (!name.ends_with(kEnding)) return std::nullopt;
  for (std::size_t of = name.rfind(kOf); of != std::string_view::npos && of > 0;
       of = name.rfind(kOf, of - 1)) {
    const std::string_view behind = name.substr(of + kOf.size());
    const std::size_t count_digits = digits_at(behind);
    std::size_t begin = of;
    while (begin > 0 && name[begin - 1] >= '0' && name[begin - 1] <= '9') --begin;
    const auto number = number_of(name.substr(begin, of - begin));
    const auto count = number_of(behind.substr(0, count_digits));
    if (!number || !count || begin == 0 || name[begin - 1] != '-') continue;
    return ShardNumber{std::string(name.substr(0, begin)) + std::string(name.substr(of)), *number, *count};
  }
  return std::nullopt;
}

}  // namespace keyshift
