#include "base/sha.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <new>

namespace keyshift {

namespace {

std::optional<unsigned> nibble(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  return std::nullopt;
}

std::string hex_of(std::span<const std::uint8_t> bytes) {
  std::string out;
  for (const std::uint8_t byte : bytes) out += fmt::format("{:02x}", byte);
  return out;
}

}  // namespace

std::string Sha256::hex() const { return hex_of(bytes); }

std::optional<Sha256> Sha256::from_hex(std::string_view text) noexcept {
  Sha256 value;
  if (text.size() != 2 * value.bytes.size()) return std::nullopt;
  for (std::size_t i = 0; i < value.bytes.size(); ++i) {
    const auto high = nibble(text[2 * i]), low = nibble(text[2 * i + 1]);
    if (!high || !low) return std::nullopt;
    value.bytes[i] = static_cast<std::uint8_t>(*high << 4U | *low);
  }
  return value;
}

struct ShaHasher::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();

  explicit State(const EVP_MD* algorithm) {
    if (context == nullptr || EVP_DigestInit_ex(context, algorithm, nullptr) != 1) {
      EVP_MD_CTX_free(context);
      throw std::bad_alloc();
    }
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_MD_CTX_free(context); }

  std::span<const std::uint8_t> finish() {
    unsigned size = 0;
    if (EVP_DigestFinal_ex(context, result.data(), &size) != 1) throw std::bad_alloc();
    return std::span(result).first(size);
  }

  std::array<std::uint8_t, EVP_MAX_MD_SIZE> result{};
};

ShaHasher::ShaHasher(Algorithm algorithm)
    : state_(std::make_unique<State>(algorithm == Algorithm::sha256 ? EVP_sha256() : EVP_sha1())) {}
ShaHasher::ShaHasher(ShaHasher&&) noexcept = default;
ShaHasher& ShaHasher::operator=(ShaHasher&&) noexcept = default;
ShaHasher::~ShaHasher() = default;

void ShaHasher::update(std::span<const std::byte> bytes) {
  // libcrypto fails here only where it cannot get memory.
  if (EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) != 1) throw std::bad_alloc();
}

void ShaHasher::update(std::string_view text) { update(std::as_bytes(std::span(text))); }

Sha256 ShaHasher::value() {
  const auto digest = state_->finish();
  Sha256 value;
  std::copy_n(digest.begin(), std::min(digest.size(), value.bytes.size()), value.bytes.begin());
  return value;
}

std::string ShaHasher::hex() { return hex_of(state_->finish()); }

Sha256 sha256_of(std::string_view text) {
  ShaHasher hasher;
  hasher.update(text);
  return hasher.value();
}

}  // namespace keyshift
