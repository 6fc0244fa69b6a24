// Whether files still are what a receipt says was written: all but the tensors' bytes, which are digested
// where they are read anyway.
#pragma once

#include <filesystem>
#include <string>

#include "base/error.h"
#include "format/checkpoint.h"
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

/// The error for a tensor whose bytes, from `offset` of `file` on, have the digest `there` and not the
/// receipt's.
Error changed_tensor(const Receipt::Tensor& tensor, const Digest& there, const std::filesystem::path& file,
                     std::uint64_t offset);

}  // namespace keyshift
