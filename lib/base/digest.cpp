#include "base/digest.h"

#include <fmt/format.h>
#include <xxhash.h>
#if defined(__x86_64__)
#include <xxh_x86dispatch.h>  // the widest vectors that this processor has, chosen at run time
#endif

#include <charconv>
#include <new>

namespace keyshift {

namespace {

Digest from_xxh(XXH128_hash_t hash) { return {hash.high64, hash.low64}; }

std::optional<std::uint64_t> parse_u64_hex(std::string_view text) {
  for (const char c : text) {
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return std::nullopt;
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

struct Hasher::State {
  XXH3_state_t* xxh = XXH3_createState();
  State() {
    if (xxh == nullptr) throw std::bad_alloc();
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { XXH3_freeState(xxh); }
};

std::string Digest::hex() const { return fmt::format("{:016x}{:016x}", high, low); }

std::optional<Digest> Digest::from_hex(std::string_view text) noexcept {
  if (text.size() != 32) return std::nullopt;
  const auto high = parse_u64_hex(text.substr(0, 16));
  const auto low = parse_u64_hex(text.substr(16));
  if (!high || !low) return std::nullopt;
  return Digest{*high, *low};
}

Digest digest_of(std::span<const std::byte> bytes) noexcept {
  return from_xxh(XXH3_128bits(bytes.data(), bytes.size()));
}
Digest digest_of(std::string_view text) noexcept { return from_xxh(XXH3_128bits(text.data(), text.size())); }

Hasher::Hasher() : state_(std::make_unique<State>()) { reset(); }
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::update(std::span<const std::byte> bytes) noexcept {
  XXH3_128bits_update(state_->xxh, bytes.data(), bytes.size());
}
Digest Hasher::value() const noexcept { return from_xxh(XXH3_128bits_digest(state_->xxh)); }
void Hasher::reset() noexcept { XXH3_128bits_reset(state_->xxh); }

}  // namespace keyshift
