// The receipt: what a conversion did, enough to undo it. Format: FORMAT.md, F40 …
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/sha.h"
#include "transforms/renaming.h"
#include "transforms/transform.h"

namespace keyshift {

/// Texts of keys, headers and files are borrowed: from a plan and what that borrows from, or from what keep()
/// took. Copies share the latter.
struct Receipt {
  enum class Layout : std::uint8_t { keep, canonical };

  struct SourceShard {
    std::string name;         // relative to the source folder
    std::uint64_t size = 0;   // bytes of the whole file
    std::string_view header;  // the first 8 + n bytes as they stood in the file
  };
  struct SourceFile {
    std::string name;        // relative to the source folder
    std::uint64_t size = 0;  // bytes
    Digest digest;
  };
  struct Text {  // a whole small file
    std::string name;
    std::string_view text;
  };
  struct OutputShard {
    std::string name;
    std::uint64_t size = 0;        // bytes of the whole file
    Digest header_digest;          // of its first 8 + n bytes
    std::optional<Digest> digest;  // of the whole file; absent where its bytes were not read
    std::optional<Sha256> sha256;  // of the whole file; absent where nobody asked for it
  };
  struct OutputFile {
    std::string name;
    std::uint64_t size = 0;  // bytes
    Digest digest;
    std::optional<Sha256> sha256;
  };
  struct Tensor {
    std::string_view from;
    std::optional<std::string_view> to;  // absent: it was dropped
    std::optional<Digest> digest;        // of its bytes; absent where they were not read
  };

  // How it was asked for.
  Direction direction = Direction::load;
  UsedTransforms::Which reversed = UsedTransforms::Which::fresh;  // save: which transforms were reversed
  bool strip_wrappers = false;
  TransformList transforms;
  std::vector<bool> used;        // one flag per transform
  std::optional<Digest> target;  // digest_of_target() of what --target named
  Layout layout = Layout::keep;
  std::optional<std::uint64_t> max_shard_size;  // bytes
  std::vector<std::string> keep_patterns;       // --keep, of old names; none: all
  std::vector<std::string> drop_patterns;       // --drop, of old names
  bool in_place = false;                        // the output's files are the source's own
  std::optional<std::string> previous;          // the text of the receipt that lay in the source

  // What there was.
  bool source_is_single_file = false;
  std::vector<SourceShard> source_shards;
  std::optional<Text> source_index;
  std::vector<SourceFile> source_files;  // side files

  // What there is.
  std::vector<OutputShard> shards;
  std::vector<OutputFile> others;  // index and side files
  std::vector<Text> rewritten;     // side files that were changed, as they were before
  std::vector<Tensor> tensors;     // in the order of the source's shards and of their header texts

  std::string_view keep(std::string text);
  std::vector<std::shared_ptr<const std::string>> kept;
};

/// Which tensors' digests a receipt holds, of those that were not dropped.
enum class DigestsHeld : std::uint8_t { all, some, none };
DigestsHeld digests_held(const Receipt& receipt) noexcept;

/// What tells one --target from another: the digest of its keys, in order of bytes, as one JSON array.
Digest digest_of_target(const TargetKeys& target);

/// The receipt as a file, its own digest last, in pieces that follow each other. The same receipt gives the
/// same bytes. `jobs`: threads that compress headers and write rows.
std::vector<std::string> write_receipt(const Receipt& receipt, unsigned jobs = 1);
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
