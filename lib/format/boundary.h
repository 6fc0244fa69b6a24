// The fence around a checkpoint: what may be read when a folder or an index names it (FORMAT.md, F26).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace keyshift {

/// The models--org--name folder of a hub cache that `folder` (a snapshot or a folder in one) belongs to.
std::optional<std::filesystem::path> hub_cache_around(const std::filesystem::path& folder);

/// True if `folder` is itself such a models--org--name folder.
bool is_hub_cache(const std::filesystem::path& folder);

/// The snapshot of `cache` that `revision` names: a commit or a name in refs/; empty is refs/main, else the
/// only snapshot. Errors: checkpoint_not_found.
std::filesystem::path snapshot_folder(const std::filesystem::path& cache, const std::string& revision);

/// Links are followed only to places in the folder itself or among the blobs of the same hub cache.
class Boundary {
 public:
  /// `folder` must exist. Errors: io.
  explicit Boundary(const std::filesystem::path& folder);

  enum class Verdict : std::uint8_t { file, missing, outside, no_file };
  struct Finding {
    Verdict verdict = Verdict::missing;
    std::string what;  // for a message: "leads to /etc, outside of …", "is a folder"
    std::uint64_t device = 0, inode = 0;
  };
  /// What `name` (relative to the folder) is, links followed; nothing is opened. Errors: io, where that
  /// cannot be told.
  Finding look_at(const std::filesystem::path& name) const;
  bool is_file(const std::filesystem::path& name) const { return look_at(name).verdict == Verdict::file; }

  const std::optional<std::filesystem::path>& hub_cache() const noexcept { return hub_cache_; }

 private:
  std::filesystem::path folder_;     // as it was given
  std::filesystem::path canonical_;  // without links
  std::optional<std::filesystem::path> hub_cache_;
};

/// "a folder", "a FIFO", "a device", "a socket", "a file".
std::string describe_kind(std::filesystem::file_type type);

}  // namespace keyshift
