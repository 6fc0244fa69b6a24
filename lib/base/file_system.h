// What keyshift asks of the file system beyond reading and writing: durable, all-or-nothing changes of names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "base/descriptor.h"

namespace keyshift {

/// What stands under a name, links followed.
struct NamedFile {
  std::filesystem::file_type type = std::filesystem::file_type::none;
  std::uint64_t device = 0, inode = 0;
  int failure = 0;  // errno, where it cannot be told
};
NamedFile look_at(const std::filesystem::path& path) noexcept;

/// Errors: io, where a file of `size` bytes is larger than such a file should be.
void refuse_larger(const std::filesystem::path& path, std::uint64_t size, std::uint64_t limit);

/// A whole small regular file. Errors: io (also when it is larger than `limit` bytes).
std::string read_small_file(const std::filesystem::path& path, std::uint64_t limit);

/// Fills `into` from `offset` (bytes) of an open file, through pread. `path` is for messages. Errors: io with
/// the offset, also when the file ends before.
void read_exactly(int descriptor, const std::filesystem::path& path, std::uint64_t offset,
                  std::span<std::byte> into);

/// Makes a folder's entries durable. Errors: io.
void sync_folder(const std::filesystem::path& folder);

/// Makes everything durable that was written to the file system of `folder`, by whomever. Errors: io.
void sync_file_system(const std::filesystem::path& folder);

/// Renames; fails if `to` exists (an empty folder may be replaced by a folder). Errors: io.
void rename_no_replace(const std::filesystem::path& from, const std::filesystem::path& to);
/// Swaps two existing names in one step. False, and nothing has happened, where the file system has no such
/// step (NFS, most of FUSE). Errors: io.
bool exchange_names(const std::filesystem::path& a, const std::filesystem::path& b);

/// Opens `path` (file or folder) and takes an exclusive lock that ends with the descriptor, or returns none
/// if somebody else holds it. Errors: io.
Descriptor try_lock(const std::filesystem::path& path);

/// Removes a file or a whole folder; links are removed, never followed. Errors: io.
void remove_tree(const std::filesystem::path& path);

/// True if `folder` is a mount point (another device or the root). Errors: io.
bool is_mount_point(const std::filesystem::path& folder);

/// True if `path` is `folder` or lies below it, as written: both are canonical places.
bool is_inside(const std::filesystem::path& path, const std::filesystem::path& folder);

/// The absolute path without `.`, `..`, links and final slash; the last parts need not exist. Errors: io.
std::filesystem::path canonical_place(const std::filesystem::path& path);

}  // namespace keyshift
