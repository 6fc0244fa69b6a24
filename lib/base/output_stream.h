// Bytes on their way out: written once, from first to last, and digested as they pass (Boost.Iostreams
// composes the two; its owners are output_stream.cpp and compression.cpp).
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "base/digest.h"

namespace keyshift {

/// What went through an OutputStream.
struct Written {
  std::uint64_t size = 0;  // bytes
  Digest digest;
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
  /// Flushes to the disk and closes. Nothing may be written after it. Errors: io; the file is then worthless,
  /// for a failed fsync must never be retried.
  Written finish();

 private:
  struct State;
  explicit OutputStream(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace keyshift
