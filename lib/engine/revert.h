// A conversion undone: with its receipt, the original files byte for byte.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/interrupt.h"
#include "base/output_stream.h"
#include "engine/progress.h"
#include "format/checkpoint.h"
#include "receipt/receipt.h"

namespace keyshift {

struct RevertRequest {
  std::filesystem::path source;                  // what the conversion wrote
  std::optional<std::filesystem::path> receipt;  // else the one that lies beside it
  OpenOptions open;
  std::filesystem::path destination;  // where the original appears
  unsigned jobs = 1;                  // shards at a time
  bool force = false;                 // replace a checkpoint that is at the destination
};

struct RevertResult {
  struct File {
    std::string name;  // relative to the destination's folder
    Written written;
  };
  std::vector<File> shards, others;  // others: side files, index, and the receipt that lay in the original
  std::filesystem::path receipt;     // the one that was gone by
  DigestsHeld digests = DigestsHeld::all;  // which tensors' bytes were proven by it
  std::uint64_t tensors = 0, proven = 0, data_bytes = 0;
  std::vector<std::string> warnings;
};

/// Writes the original: headers as they stood, the bytes of tensors, the index, side files and the receipt
/// that lay there, each checked against the receipt before anything is published. What the receipt holds no
/// digest of is proven by headers and sizes only. On any error nothing has appeared. Errors: receipt_invalid
/// (none is there; tensors were dropped; it is damaged or of another checkpoint), source_changed (naming what
/// is not as the receipt says), usage, io, interrupted, those of Checkpoint::open.
RevertResult revert(const RevertRequest& request, Progress& progress, const Interrupt& interrupt);

}  // namespace keyshift
