#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "compare/check.h"
#include "format/boundary.h"

namespace keyshift {

namespace fs = std::filesystem;

namespace {

bool is_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::optional<DigestKind> kind_of_blob(std::string_view name) {
  if (is_hex(name, 64)) return DigestKind::sha256;
  if (is_hex(name, 40)) return DigestKind::git_sha1;
  return std::nullopt;
}

// The blob that a snapshot's file leads to, where it leads to one.
std::optional<std::string> blob_of(const fs::path& link) {
  std::error_code failure;
  const fs::path target = fs::read_symlink(link, failure);
  if (failure || target.parent_path().filename() != "blobs") return std::nullopt;
  return target.filename().string();
}

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::vector<fs::path> paths;
  std::error_code failure;
  fs::recursive_directory_iterator at(folder, failure);
  for (; !failure && at != fs::recursive_directory_iterator(); at.increment(failure))
    paths.push_back(at->path());
  if (failure) throw io_error("cannot list", failure.value()).in(folder.string());
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

Manifest hub_cache_manifest(const fs::path& path, fs::path& folder, std::vector<CheckFinding>& missing) {
  const bool is_root = is_hub_cache(path);
  const auto around = is_root ? std::optional(path) : hub_cache_around(path);
  if (!around) {
    throw Error(
        ErrorKind::usage,
        "is a folder and no hub cache (models--ORG--NAME, or a snapshot in one), whose files are named by "
        "their digests; name a manifest")
        .in(path.string());
  }
  folder = is_root ? *around : path;
  std::map<std::string, std::string> names;  // by blob: the first file that is it
  for (const fs::path& link : sorted_entries(is_root ? folder / "snapshots" : path)) {
    const auto blob = blob_of(link);
    if (!blob) continue;
    const std::string name = link.lexically_relative(folder).string();
    std::error_code ignored;
    if (fs::exists(*around / "blobs" / *blob, ignored)) {
      names.emplace(*blob, name);
    } else {
      missing.push_back({"missing", name, fmt::format("its blob {} is not there", quote(*blob))});
    }
  }
  if (is_root) {
    for (const fs::path& blob : sorted_entries(folder / "blobs"))
      names.emplace(blob.filename().string(), "blobs/" + blob.filename().string());
  }
  Manifest manifest;
  manifest.is_folder = false;
  for (const auto& [blob, name] : names) {
    // Others are no blobs: a download that did not end, a lock.
    if (const auto kind = kind_of_blob(blob)) manifest.files.push_back({name, {}, {}, {{*kind, blob}}});
  }
  std::sort(manifest.files.begin(), manifest.files.end(),
            [](const ManifestFile& a, const ManifestFile& b) { return a.name < b.name; });
  return manifest;
}

}  // namespace keyshift
