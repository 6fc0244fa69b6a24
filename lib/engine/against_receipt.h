// Whether files still are what a receipt says was written: all but the tensors' bytes, which are digested
// where they are read anyway.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/digest.h"
#include "format/checkpoint.h"
#include "plan/plan.h"
#include "receipt/receipt.h"

namespace keyshift {

/// The receipt of the checkpoint at `place`: `given`, or the one that lies beside it. Errors:
/// receipt_invalid, also when there is none (saying what cannot be known then), io.
std::filesystem::path require_receipt(const CheckpointPlace& place,
                                      const std::optional<std::filesystem::path>& given);

/// Checks the bytes of the index that lies at `path` or in it, where a receipt tells of one: before anybody
/// follows what it says. Errors: source_changed, receipt_invalid, io.
void check_index_against_receipt(const std::filesystem::path& path,
                                 const std::optional<std::filesystem::path>& given);

/// Checks the names, sizes and headers of shards. Errors: source_changed, naming
/// the file; receipt_invalid (it tells of other shards); io.
void check_against_receipt(const CheckpointPlace& place, const Receipt& receipt,
                           const std::filesystem::path& receipt_file);

/// What a conversion wrote, with its receipt, and where every byte of the original lies in it.
struct OpenedConversion {
  std::filesystem::path receipt_file;
  Receipt receipt;
  std::unique_ptr<Checkpoint> checkpoint;
  std::vector<PlannedShard> original;  // original_layout()
};
/// Checks all of the above on the way. Errors: those of the functions here and of Checkpoint::open.
OpenedConversion open_conversion(const std::filesystem::path& path,
                                 const std::optional<std::filesystem::path>& receipt,
                                 const OpenOptions& open);

/// Holds the digests of the tensors of original[shard] against the receipt, as far as that has them. Errors:
/// source_changed, naming file, place and key.
void check_tensors_of(const OpenedConversion& conversion, std::size_t shard,
                      const std::vector<Digest>& digests);

/// A side file of the original, as it was before it was rewritten; nullptr if it was not.
const Receipt::Text* rewritten_text(const Receipt& receipt, const std::string& name);
/// Whether the side file went along with the conversion, so that it comes back. Errors: source_changed (it
/// did, and is missing).
bool went_along(const OpenedConversion& conversion, const std::string& name);
/// Errors: source_changed, unless the side file that comes back has the original's size and digest.
void check_side_file(const OpenedConversion& conversion, const Receipt::SourceFile& file, std::uint64_t size,
                     const Digest& digest);

}  // namespace keyshift
