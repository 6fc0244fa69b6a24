#include "transforms/shape_kernel.h"

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))

#include <immintrin.h>

#include <cstring>

#include "transforms/open_bits.h"

// As in shape_kernel_avx512.cpp: compiled for newer processors, and run only where there is one.
#define KEYSHIFT_AVX2 __attribute__((target("avx2,bmi,bmi2")))
#define KEYSHIFT_AVX2_INLINE KEYSHIFT_AVX2 __attribute__((always_inline)) inline
#define KEYSHIFT_TARGET KEYSHIFT_AVX2
#include "transforms/shape_rounds.h"

namespace keyshift {
namespace {

// Keys of so many bytes are handled here, as most are; the others by the portable functions.
constexpr std::size_t kLeastBytes = 32, kMostBytes = 128;

constexpr bool fits(std::size_t size) noexcept { return size >= kLeastBytes && size <= kMostBytes; }

KEYSHIFT_AVX2_INLINE __m256i load(const void* from) noexcept {
  return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}

KEYSHIFT_AVX2_INLINE std::uint64_t bits_of(__m256i bytes) noexcept {
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(bytes));
}

KEYSHIFT_AVX2_INLINE __m256i digits_of(__m256i bytes) noexcept {
  const __m256i value = _mm256_sub_epi8(bytes, _mm256_set1_epi8('0'));
  return _mm256_cmpeq_epi8(_mm256_min_epu8(value, _mm256_set1_epi8(9)), value);
}

/// All ones where the lower 32 bits are set.
KEYSHIFT_AVX2_INLINE __m256i bytes_of(std::uint64_t bits) noexcept {
  const __m256i each = _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
  const __m256i single = _mm256_set1_epi64x(static_cast<long long>(0x8040201008040201U));
  const __m256i spread = _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int>(bits)), each);
  return _mm256_cmpeq_epi8(_mm256_and_si256(spread, single), single);
}

__extension__ using Wide = unsigned __int128;

/// Visits each byte of a key in blocks of 32, some bytes twice: a load behind the end could fail.
template <class See>
KEYSHIFT_AVX2_INLINE void for_each_block(std::size_t size, See&& see) {
  see(std::size_t{0});
  if (size > 64) {
    see(std::size_t{32});
    see(size - 64);
  }
  see(size - 32);
}

/// Bytes that differ: kOpenByte in the shape takes any digit.
KEYSHIFT_AVX2_INLINE __m256i same(__m256i key, __m256i shape) noexcept {
  const __m256i open = _mm256_cmpeq_epi8(shape, _mm256_set1_epi8(kOpenByte));
  // A key may hold the byte that stands for an open digit; then it differs, and the exact path is taken.
  return _mm256_blendv_epi8(_mm256_cmpeq_epi8(key, shape), digits_of(key), open);
}

KEYSHIFT_AVX2_INLINE bool has_shape_avx2(const Shape& shape, std::string_view key) noexcept {
  if (shape.length != key.size()) return false;
  if (!fits(key.size())) return has_shape_portably(shape, key);
  __m256i all = _mm256_set1_epi8(-1);
  for_each_block(key.size(), [&](std::size_t at) KEYSHIFT_AVX2 {
    all = _mm256_and_si256(all, same(load(key.data() + at), load(shape.text() + at)));
  });
  return _mm256_movemask_epi8(all) == -1;
}

KEYSHIFT_AVX2_INLINE PositionSet open_digits_avx2(std::string_view key) noexcept {
  PositionSet open;
  const std::size_t size = key.size();
  const auto see = [&](auto& digits, auto& dots, std::size_t at) KEYSHIFT_AVX2 {
    using Word = std::remove_reference_t<decltype(digits)>;
    const __m256i bytes = load(key.data() + at);
    digits |= Word{bits_of(digits_of(bytes))} << at;
    dots |= Word{bits_of(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('.')))} << at;
  };
  if (size <= 64) {
    std::uint64_t digits = 0, dots = 0;
    see(digits, dots, 0);
    see(digits, dots, size - 32);
    open.set_word(0, open_bits::find(digits, dots, size < 64 ? std::uint64_t{1} << size : 0));
    return open;
  }
  Wide digits = 0, dots = 0;
  for_each_block(size, [&](std::size_t at) KEYSHIFT_AVX2 { see(digits, dots, at); });
  const Wide bits = open_bits::find(digits, dots, size < kMostBytes ? Wide{1} << size : Wide{0});
  open.set_word(0, static_cast<std::uint64_t>(bits));
  open.set_word(1, static_cast<std::uint64_t>(bits >> 64U));
  return open;
}

/// Bits of the 32 positions from `at` on.
KEYSHIFT_AVX2_INLINE std::uint64_t open_from(const PositionSet& open, std::size_t at) noexcept {
  const Wide bits = Wide{open.word(0)} | (Wide{open.word(1)} << 64U);
  return static_cast<std::uint32_t>(bits >> at);
}

/// 32 bytes of a key with kOpenByte at open digits.
KEYSHIFT_AVX2_INLINE __m256i opened(std::string_view key, const PositionSet& open, std::size_t at) noexcept {
  return _mm256_blendv_epi8(load(key.data() + at), _mm256_set1_epi8(kOpenByte),
                            bytes_of(open_from(open, at)));
}

/// Products of the halves of each eight bytes, as XXH3 takes them, added up.
KEYSHIFT_AVX2_INLINE std::uint64_t hash_avx2(std::string_view key, const PositionSet& open) noexcept {
  __m256i secret =
      _mm256_set_epi64x(0x1CAD21F72C81017C, 0x3E2D0E9B1F5A7C63, 0x78E5C0CC4EE679CB, 0x2172FFCC7DD05A82);
  __m256i sum = _mm256_setzero_si256();
  for_each_block(key.size(), [&](std::size_t at) KEYSHIFT_AVX2 {
    const __m256i block = opened(key, open, at);
    const __m256i mixed = _mm256_xor_si256(block, secret);
    sum =
        _mm256_add_epi64(sum, _mm256_add_epi64(_mm256_mul_epu32(mixed, _mm256_srli_epi64(mixed, 32)), block));
    // Other products for the next block, and other sums for swapped words.
    secret = _mm256_add_epi64(_mm256_permute4x64_epi64(secret, 0x39), secret);
  });
  const __m256i left = _mm256_set_epi64x(0, 13, 29, 47);
  const __m256i turned = _mm256_or_si256(
      _mm256_sllv_epi64(sum, left), _mm256_srlv_epi64(sum, _mm256_sub_epi64(_mm256_set1_epi64x(64), left)));
  const __m128i half = _mm_add_epi64(_mm256_castsi256_si128(turned), _mm256_extracti128_si256(turned, 1));
  std::uint64_t hash = static_cast<std::uint64_t>(_mm_cvtsi128_si64(half)) +
                       static_cast<std::uint64_t>(_mm_extract_epi64(half, 1));
  hash += key.size() * 0x9E3779B97F4A7C15U;
  hash ^= hash >> 32U;
  hash *= 0xD6E8FEB86659FD93U;
  return hash ^ (hash >> 32U);
}

KEYSHIFT_AVX2 std::uint64_t hash_key(std::string_view key, const PositionSet& open) noexcept {
  return fits(key.size()) ? hash_avx2(key, open) : portable_kernel().hash(key, open);
}

KEYSHIFT_AVX2_INLINE bool is_shape_of_avx2(const Shape& shape, std::string_view key,
                                           const PositionSet& open) noexcept {
  if (shape.length != key.size() || shape.open.word(0) != open.word(0) || shape.open.word(1) != open.word(1))
    return false;
  __m256i all = _mm256_set1_epi8(-1);
  for_each_block(key.size(), [&](std::size_t at) KEYSHIFT_AVX2 {
    all = _mm256_and_si256(all, _mm256_cmpeq_epi8(opened(key, open, at), load(shape.text() + at)));
  });
  return _mm256_movemask_epi8(all) == -1;
}

/// The shape, of kind result, of a key that fits; nullptr if there is none in the table.
KEYSHIFT_AVX2_INLINE const Shape* look_up_avx2(const ShapeTable& table, std::string_view key) noexcept {
  PositionSet open = open_digits_avx2(key);
  const ShapeTable::Slot* slots = table.slots();
  while (true) {
    const std::uint64_t hash = hash_avx2(key, open);
    std::size_t i = hash & table.slot_mask();
    const Shape* shape = slots[i].shape;
    while (shape != nullptr && !(slots[i].hash == hash && is_shape_of_avx2(*shape, key, open))) {
      i = (i + 1) & table.slot_mask();
      shape = slots[i].shape;
    }
    if (shape == nullptr || shape->kind == ShapeKind::result) return shape;
    if (shape->kind != ShapeKind::depends) return nullptr;
    open -= shape->pins;
  }
}

/// Writes the result. May write up to a block behind it.
KEYSHIFT_AVX2_INLINE void write_result(const Shape& shape, std::string_view key, char* text) noexcept {
  const std::uint8_t* result = shape.result();
  for (std::size_t at = 0; at == 0 || at < shape.result_length; at += Shape::kBlock) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(text + at), load(result + at));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(text + at + 32), load(result + at + 32));
  }
  const Shape::Move* move = shape.moves();
  for (std::size_t group = 0; group < shape.move_groups; ++group) {
#pragma GCC unroll 8
    for (std::size_t i = 0; i < Shape::kMoveGroup; ++i, ++move) text[move->to] = key[move->from];
  }
}

KEYSHIFT_AVX2_INLINE void write_key(std::string_view key, char* text) noexcept {
  if (!fits(key.size())) {
    if (!key.empty()) std::memcpy(text, key.data(), key.size());
    return;
  }
  for_each_block(key.size(), [&](std::size_t at) KEYSHIFT_AVX2 {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(text + at), load(key.data() + at));
  });
}

struct Avx2 {
  KEYSHIFT_AVX2_INLINE static const Shape* look_up(const ShapeTable& table, std::string_view key) noexcept {
    return fits(key.size()) ? look_up_avx2(table, key) : nullptr;
  }
  KEYSHIFT_AVX2_INLINE static bool has_shape(const Shape& shape, std::string_view key) noexcept {
    return has_shape_avx2(shape, key);
  }
  KEYSHIFT_AVX2_INLINE static void write_key(std::string_view key, char* text) noexcept {
    keyshift::write_key(key, text);
  }
  KEYSHIFT_AVX2_INLINE static void write_result(const Shape& shape, std::string_view key,
                                                char* text) noexcept {
    keyshift::write_result(shape, key, text);
  }
};

bool available() noexcept {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
}

}  // namespace

const ShapeKernel* avx2_kernel() noexcept {
  static constexpr ShapeKernel kernel{"AVX2", hash_key, rename_all<ResultForm::bare, Avx2>,
                                      rename_all<ResultForm::line, Avx2>};
  static const bool is_available = available();
  return is_available ? &kernel : nullptr;
}

}  // namespace keyshift

#else

namespace keyshift {

const ShapeKernel* avx2_kernel() noexcept { return nullptr; }

}  // namespace keyshift

#endif
