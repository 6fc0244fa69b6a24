// XXH3-128: the digest of keyshift (xxHash; its one owner is digest.cpp).
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace keyshift {

/// One XXH3-128 value (seed 0, default secret), written as 32 lower-case hex digits in canonical big-endian
/// order, as xxhsum -H2 prints it.
struct Digest {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  auto operator<=>(const Digest&) const = default;
  std::string hex() const;
  static std::optional<Digest> from_hex(std::string_view text) noexcept;
};

Digest digest_of(std::span<const std::byte> bytes) noexcept;
Digest digest_of(std::string_view text) noexcept;

/// A hash for tables in memory (XXH3-64), never written anywhere.
std::uint64_t hash_of(std::string_view text, std::uint64_t seed) noexcept;

/// The digest of bytes that come in pieces.
class Hasher {
 public:
  Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  ~Hasher();

  void update(std::span<const std::byte> bytes) noexcept;
  /// Of all that came since the start or the last reset().
  Digest value() const noexcept;
  void reset() noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace keyshift
