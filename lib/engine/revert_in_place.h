// A conversion undone in the very files that it wrote: headers, index, side files and receipt change back
// behind a journal, tensors stay where they lie.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/against_receipt.h"
#include "engine/file_changes.h"

namespace keyshift {

struct RevertInPlaceRequest {
  std::filesystem::path path;                    // what the conversion wrote
  std::optional<std::filesystem::path> receipt;  // else the one that lies beside it
  OpenOptions open;
  unsigned jobs = 1;
};

struct RevertInPlaceResult {
  struct ShardChange {
    std::string name;
    std::uint64_t size = 0;        // bytes of the whole file afterwards
    std::optional<HeaderWay> way;  // none: its header is the original one already
  };
  std::vector<ShardChange> shards;
  std::vector<std::string> written, removed;  // small files
  std::filesystem::path receipt;              // the one that was gone by
  DigestsHeld digests = DigestsHeld::all;
  std::uint64_t tensors = 0, proven = 0;
  std::vector<std::string> warnings;
};

/// Everything is held against the receipt first, tensors too where it holds their digests; then all changes
/// or nothing does, see carry_out(). Errors: those of open_conversion, plan_changes and carry_out; usage
/// (tensors moved).
RevertInPlaceResult revert_in_place(const RevertInPlaceRequest& request, Progress& progress,
                                    const Interrupt& interrupt);

}  // namespace keyshift
