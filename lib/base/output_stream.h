// Bytes on their way out: written once, from first to last, and digested as they pass (Boost.Iostreams
// composes the two; its owners are output_stream.cpp and compression.cpp).
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/digest.h"
#include "base/sha.h"

namespace keyshift {

/// What went through an OutputStream.
struct Written {
  std::uint64_t size = 0;        // bytes
  Digest digest;                 // of all bytes; nothing worth where some were not digested
  std::optional<Sha256> sha256;  // likewise; where it was asked for
};

class OutputStream {
 public:
  /// The system call that writes, so that a test can let it fail. As write(2).
  using WriteCall = std::function<ssize_t(int, const void*, std::size_t)>;

  struct FileOptions {
    bool sync = true;  // fsync in finish()
    std::uint64_t flush_every =
        0;                 // bytes: ask the kernel to begin writing back so often; 0 leaves it to the kernel
    WriteCall write_call;  // empty: write(2)
    bool digest = true;    // of the bytes that are written
    bool sha256 = false;   // a SHA-256 of them besides
  };

  /// Creates `path`, which must not exist; its mode is what the umask gives. Errors: io.
  static OutputStream to_file(const std::filesystem::path& path, FileOptions options);
  /// Goes nowhere; only size and digest remain.
  static OutputStream to_digest();

  OutputStream(OutputStream&&) noexcept;
  OutputStream& operator=(OutputStream&&) noexcept;
  /// A file that was not finished stays as it is: who made its folder removes it.
  ~OutputStream();

  /// Writes all of `bytes`. Errors: io, with errno's text.
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  /// Appends a range of an open file by sharing its blocks; all three of its ends must be multiples of 4096.
  /// False where that cannot be, and nothing has happened. Not digested. Errors: io.
  bool append_shared(int source, std::uint64_t offset, std::uint64_t length);
  /// Appends a range of an open file, copied in the kernel; returns how much of it, which may be less and
  /// nothing at all where that cannot be. Not digested. Errors: io.
  std::uint64_t append_copied(int source, std::uint64_t offset, std::uint64_t length);
  /// Digests bytes that were appended by other means, in their order.
  void digest_only(std::span<const std::byte> bytes);
  /// Flushes to the disk and closes. Nothing may be written after it. Errors: io; the file is then worthless,
  /// for a failed fsync must never be retried.
  Written finish();

 private:
  struct State;
  void skip(std::uint64_t length);
  explicit OutputStream(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace keyshift
