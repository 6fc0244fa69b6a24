// The 22 element types of safetensors 0.8.0 (FORMAT.md, F8).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace keyshift {

/// In the order of the reference's enumeration: its writer puts tensors of later types first.
enum class Dtype : std::uint8_t {
  BOOL,
  F4,
  F6_E2M3,
  F6_E3M2,
  U8,
  I8,
  F8_E5M2,
  F8_E4M3,
  F8_E8M0,
  F8_E4M3FNUZ,
  F8_E5M2FNUZ,
  I16,
  U16,
  F16,
  BF16,
  I32,
  U32,
  F32,
  C64,
  F64,
  I64,
  U64,
};
inline constexpr int kDtypeCount = 22;

/// Bits per element: 4, 6, 8, 16, 32 or 64.
int bits(Dtype dtype) noexcept;
/// As it is spelled in a header, e.g. "BF16".
std::string_view name(Dtype dtype) noexcept;
/// Exact spelling only.
std::optional<Dtype> parse_dtype(std::string_view text) noexcept;

}  // namespace keyshift
