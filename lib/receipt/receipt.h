// The receipt: what a conversion did, enough to undo it. Format: FORMAT.md, F40 …
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "transforms/renaming.h"
#include "transforms/transform.h"

namespace keyshift {

struct Receipt {
  struct SourceShard {
    std::string name;        // relative to the source folder
    std::uint64_t size = 0;  // bytes of the whole file
    std::string header;      // the first 8 + n bytes as they stood in the file
  };
  struct OutputFile {
    std::string name;
    std::uint64_t size = 0;
    Digest digest;  // of the whole file
  };
  struct Tensor {
    std::string from, to;
    std::optional<Digest> digest;  // of its bytes; absent where they were not read
  };
  struct Text {  // a whole small file
    std::string name, text;
  };

  Direction direction = Direction::load;
  UsedTransforms::Which reversed = UsedTransforms::Which::fresh;  // save: which transforms were reversed
  bool strip_wrappers = false;
  TransformList transforms;
  std::vector<bool> used;          // one flag per transform
  std::optional<Digest> previous;  // of the receipt that lay in the source
  std::vector<SourceShard> source_shards;
  std::optional<Text> source_index;
  bool source_is_single_file = false;
  std::vector<OutputFile> shards;
  std::vector<OutputFile> others;  // index and side files
  std::vector<Tensor> tensors;     // in the order of the source's shards and of their header texts
};

/// The receipt as a file, its own digest last. The same receipt gives the same bytes.
std::string write_receipt(const Receipt& receipt);
/// Reads and checks it, its own digest first. Errors: receipt_invalid with the place and what to do.
Receipt parse_receipt(std::string_view text, const std::string& file_name);
Receipt read_receipt(const std::filesystem::path& path);

/// The receipt that lies beside a checkpoint's files (a folder's, or a single file's), if there is one.
std::optional<std::filesystem::path> find_receipt(const std::filesystem::path& folder,
                                                  const std::optional<std::string>& single_file);

inline constexpr std::string_view kReceiptName = "keyshift-receipt.json";
/// `model.keyshift-receipt.json` for `model.safetensors`.
std::string receipt_name_beside(std::string_view shard_name);

}  // namespace keyshift
