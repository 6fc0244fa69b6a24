// Changing a file where it stands: what may be changed at all, bytes put in front of others, shared blocks.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "base/descriptor.h"

namespace keyshift {

/// What a name itself is; a link is not followed.
struct Standing {
  bool there = false, is_link = false, is_file = false;
  std::uint64_t size = 0, hard_links = 0, device = 0, inode = 0;

  bool is_same_file(const Standing& other) const noexcept {
    return there && other.there && device == other.device && inode == other.inode;
  }
};
/// Errors: io; a name that is not there is no error.
Standing standing_of(const std::filesystem::path& path);

/// True if `path`, where it is read only, is open for writing somewhere, in this process too. False where
/// the file system cannot tell (NFS). Errors: io (cannot be opened).
bool is_open_for_writing(const std::filesystem::path& path);

/// Opens a regular file for reading and writing; a link as the last part is refused. Errors: io.
Descriptor open_for_changes(const std::filesystem::path& path);
/// Makes a new file that nobody else sees under `path`, which must not exist. Errors: io.
Descriptor create_file(const std::filesystem::path& path);

/// An exclusive lock that ends with the descriptor; false if somebody else holds it. Errors: io.
bool lock_exclusively(int descriptor, const std::filesystem::path& path);

/// Puts `length` bytes of zeros in front of the byte at `offset`; both are multiples of the file system's
/// block. False, and nothing is changed, where the file system cannot do it. Errors: io.
bool insert_range(int descriptor, const std::filesystem::path& path, std::uint64_t offset,
                  std::uint64_t length);
/// Takes out what insert_range() has put in. Errors: io.
void collapse_range(int descriptor, const std::filesystem::path& path, std::uint64_t offset,
                    std::uint64_t length);
/// Lets `to` share the blocks of `from` from `from_offset` up to its end, at `to_offset`; both are multiples
/// of the block. False, and nothing is changed, where the file system cannot do it. Errors: io.
bool share_rest(int from, std::uint64_t from_offset, int to, std::uint64_t to_offset,
                const std::filesystem::path& to_path);
/// Copies at most `length` bytes within the kernel, or through a buffer where that cannot be. Returns how
/// many, 0 at the end of `from`. Errors: io.
std::uint64_t copy_some(int from, const std::filesystem::path& from_path, std::uint64_t from_offset, int to,
                        const std::filesystem::path& to_path, std::uint64_t to_offset, std::uint64_t length);

/// Writes all of `bytes` at `offset`. Errors: io.
void write_exactly(int descriptor, const std::filesystem::path& path, std::uint64_t offset,
                   std::string_view bytes);
/// Begins writing back what was written, without waiting for it. Never fails.
void begin_writing_back(int descriptor) noexcept;
/// Everything that was written is on the disk. Errors: io; it must not be tried again. The second leaves out
/// what is not needed to read it back (times).
void sync_file(int descriptor, const std::filesystem::path& path);
void sync_data(int descriptor, const std::filesystem::path& path);

/// Mode and owner of the file at `of` for the open file, as far as that is allowed.
void take_attributes(const std::filesystem::path& of, int descriptor) noexcept;

/// A second name for the file; false where the file system has only one for each. Errors: io.
bool add_name(const std::filesystem::path& existing, const std::filesystem::path& second);
/// Renames; what stands under `to` is replaced in the same step. Errors: io.
void replace_name(const std::filesystem::path& from, const std::filesystem::path& to);
/// Removes a name that may be gone already. Errors: io.
void remove_name(const std::filesystem::path& path);

}  // namespace keyshift
