// Load then save through the same passes as rewrite, into digests instead of files, held against the files
// that are there.
#pragma once

#include <string>
#include <vector>

#include "base/digest.h"
#include "base/interrupt.h"
#include "engine/progress.h"
#include "plan/prepare_plan.h"

namespace keyshift {

struct RoundtripResult {
  struct File {
    std::string name;
    Digest there, written;  // of the file that is there, of what a save would write
    bool same = false;
    std::string difference;  // what differs first, in words; empty if same
  };
  struct Key {
    std::string from, loaded, saved;
  };
  std::vector<File> files;   // shards, then the index if there is one
  std::vector<Key> changed;  // keys that did not come home
  std::vector<bool> used;    // by the load, in file order
  std::uint64_t tensors = 0, data_bytes = 0;
  bool same = false;  // every file byte for byte
};

/// `request.renaming.direction` is ignored: always load, then save with the transforms that the load used.
/// `jobs`: shards at a time. Errors: those of prepare_plan (a collision may also be the save's), io,
/// source_changed, interrupted.
RoundtripResult roundtrip(const PlanRequest& request, unsigned jobs, Progress& progress,
                          const Interrupt& interrupt);

}  // namespace keyshift
