// SHA-256, as hubs and sha256sum name files by it, and git's SHA-1 of a blob (libcrypto; its owner here is
// sha.cpp). What keyshift itself relies on is digest.h, which is many times as fast.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace keyshift {

/// One SHA-256 value, written as 64 lower-case hex digits.
struct Sha256 {
  std::array<std::uint8_t, 32> bytes{};

  auto operator<=>(const Sha256&) const = default;
  std::string hex() const;
  static std::optional<Sha256> from_hex(std::string_view text) noexcept;
};

/// The SHA of bytes that come in pieces.
class ShaHasher {
 public:
  enum class Algorithm : std::uint8_t { sha256, sha1 };

  explicit ShaHasher(Algorithm algorithm = Algorithm::sha256);
  ShaHasher(ShaHasher&&) noexcept;
  ShaHasher& operator=(ShaHasher&&) noexcept;
  ~ShaHasher();

  void update(std::span<const std::byte> bytes);
  void update(std::string_view text);
  /// Of all that came; nothing may come after it. `sha256` only.
  Sha256 value();
  /// Of all that came, as lower-case hex digits; nothing may come after it.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Sha256 sha256_of(std::string_view text);

}  // namespace keyshift
