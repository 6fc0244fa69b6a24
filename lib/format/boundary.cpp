#include "format/boundary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"
#include "base/in_place_file.h"

namespace keyshift {

namespace fs = std::filesystem;

namespace {

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

// A name that may be joined to refs/ or snapshots/.
bool is_plain(const fs::path& revision) {
  return !revision.empty() && revision.is_relative() &&
         std::all_of(revision.begin(), revision.end(),
                     [](const fs::path& part) { return !part.empty() && part != "." && part != ".."; });
}

std::vector<std::string> snapshots_in(const fs::path& cache) {
  std::vector<std::string> names;
  std::error_code failure;
  for (fs::directory_iterator at(cache / "snapshots", failure), end; !failure && at != end;
       at.increment(failure)) {
    if (is_folder(at->path())) names.push_back(at->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// The commit that refs/NAME holds; empty if there is no such name.
std::string commit_of(const fs::path& cache, const std::string& name) {
  const fs::path file = cache / "refs" / name;
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return {};
  constexpr std::uint64_t kLimit = 4096;
  std::string commit = read_small_file(file, kLimit);
  while (!commit.empty() && static_cast<unsigned char>(commit.back()) <= ' ') commit.pop_back();
  return is_plain(commit) && commit.find('/') == std::string::npos ? commit : std::string();
}

// A name in the folder itself, not below it or elsewhere.
bool is_one_part(const fs::path& name) { return name == name.filename() && name != "." && name != ".."; }

}  // namespace

bool is_hub_cache(const fs::path& folder) {
  return is_folder(folder / "snapshots") && (is_folder(folder / "refs") || is_folder(folder / "blobs"));
}

std::optional<fs::path> hub_cache_around(const fs::path& folder) {
  const fs::path canonical = canonical_place(folder);
  for (fs::path at = canonical; at.has_relative_path(); at = at.parent_path()) {
    const fs::path cache = at.parent_path();
    if (at.filename() == "snapshots" && is_hub_cache(cache)) return cache;
  }
  return std::nullopt;
}

fs::path snapshot_folder(const fs::path& cache, const std::string& revision) {
  const std::vector<std::string> snapshots = snapshots_in(cache);
  const auto has = [&](const std::string& name) {
    return std::find(snapshots.begin(), snapshots.end(), name) != snapshots.end();
  };
  const std::string wanted = revision.empty() ? "main" : revision;
  if (has(wanted)) return cache / "snapshots" / wanted;
  const std::string commit = is_plain(wanted) ? commit_of(cache, wanted) : std::string();
  if (has(commit)) return cache / "snapshots" / commit;
  if (revision.empty() && snapshots.size() == 1) return cache / "snapshots" / snapshots.front();
  throw Error(ErrorKind::checkpoint_not_found,
              fmt::format("this hub cache holds no snapshot of {}{}; it holds {}", quote(wanted),
                          commit.empty() ? "" : fmt::format(" (commit {})", quote(commit)),
                          snapshots.empty()
                              ? "none: fetch the model again"
                              : fmt::format("{}: name one with --revision", fmt::join(snapshots, ", "))))
      .in(cache.string());
}

Boundary::Boundary(const fs::path& folder)
    : folder_(folder), canonical_(canonical_place(folder)), hub_cache_(hub_cache_around(folder)) {}

Boundary::Finding Boundary::look_at(const fs::path& name) const {
  const fs::path path = folder_ / name;
  if (is_one_part(name)) {  // what is no link leads nowhere: by far the commonest case, and the cheapest
    const Standing standing = standing_of(path);
    if (standing.is_file) return {Verdict::file, "", standing.device, standing.inode};
  }
  const NamedFile file = keyshift::look_at(path);
  if (file.failure == ENOENT || file.failure == ENOTDIR || file.failure == ELOOP)
    return {Verdict::missing, std::strerror(file.failure)};
  if (file.failure != 0) throw io_error("cannot look at it", file.failure).in(path.string());
  const fs::path target = canonical_place(path);
  const bool allowed =
      is_inside(target, canonical_) || (hub_cache_ && is_inside(target, *hub_cache_ / "blobs"));
  if (!allowed) {
    return {Verdict::outside,
            fmt::format("leads to {}, outside of the checkpoint's folder", quote(target.string()))};
  }
  if (file.type != fs::file_type::regular) return {Verdict::no_file, "is " + describe_kind(file.type)};
  return {Verdict::file, "", file.device, file.inode};
}

std::string describe_kind(fs::file_type type) {
  switch (type) {
    case fs::file_type::directory:
      return "a folder";
    case fs::file_type::fifo:
      return "a FIFO";
    case fs::file_type::socket:
      return "a socket";
    case fs::file_type::block:
    case fs::file_type::character:
      return "a device";
    default:
      return "a file";
  }
}

}  // namespace keyshift
