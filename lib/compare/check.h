// Files against a list of their digests, whoever wrote it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/interrupt.h"
#include "receipt/manifest.h"

namespace keyshift {

struct CheckRequest {
  std::filesystem::path folder;    // where the manifest's names are looked for
  std::filesystem::path manifest;  // its own file, which is no extra one; empty if it is none
  bool report_extra = true;        // files of a checkpoint there that the manifest does not list
  unsigned jobs = 1;
};

/// One thing that is not as the manifest says.
struct CheckFinding {
  std::string kind;  // "differs", "missing", "extra", "outside"
  std::string file;  // as the manifest names it
  std::string message;
};

struct CheckResult {
  std::uint64_t files = 0, bytes = 0;  // checked
  std::vector<CheckFinding> findings;  // in the manifest's order, extra ones behind it
  bool same() const noexcept { return findings.empty(); }
};

/// `begin` is told how many bytes will be read, `advance` those that were, from several threads. Errors: io,
/// source_changed, interrupted. Differences are findings.
CheckResult check_files(const Manifest& manifest, const CheckRequest& request,
                        const std::function<void(std::uint64_t)>& begin,
                        const std::function<void(std::uint64_t)>& advance, const Interrupt& interrupt);

/// The tensors of the checkpoint at request.folder against the manifest's, whatever their names, shards and
/// order. Errors: manifest_invalid (it lists no tensors), those of Checkpoint::open, io, interrupted.
CheckResult check_tensors(const Manifest& manifest, const CheckRequest& request,
                          const std::function<void(std::uint64_t)>& begin,
                          const std::function<void(std::uint64_t)>& advance, const Interrupt& interrupt);

/// What a hub cache folder (models--org--name) or one of its snapshots says that its files are: a blob is
/// named by its SHA-256 or by git's SHA-1. A Manifest over the cache's folder; links that lead nowhere are
/// `missing`. `folder` is set to what the names are relative to. Errors: usage (no hub cache), io.
Manifest hub_cache_manifest(const std::filesystem::path& path, std::filesystem::path& folder,
                            std::vector<CheckFinding>& missing);

}  // namespace keyshift
