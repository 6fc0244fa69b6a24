#include "transforms/shape_kernel.h"

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))

// GCC 12 takes the deliberately undefined registers of its own intrinsics for a mistake (bug 105593).
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

#include <immintrin.h>

#include <cstring>

#include "transforms/open_bits.h"

// Everything that needs the newer instructions is compiled for them by this attribute, and runs only after
// the processor has been asked.
#define KEYSHIFT_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,bmi,bmi2")))
#define KEYSHIFT_AVX512_INLINE KEYSHIFT_AVX512 __attribute__((always_inline)) inline
#define KEYSHIFT_TARGET KEYSHIFT_AVX512
#include "transforms/shape_rounds.h"

namespace keyshift {
namespace {

// Keys and results of up to two blocks are handled here; the longer ones, which are rare, by the portable
// functions.
constexpr std::size_t kMostBytes = 2 * Shape::kBlock;

KEYSHIFT_AVX512_INLINE std::uint64_t first_bits(std::size_t count) noexcept {
  return _bzhi_u64(~std::uint64_t{0}, static_cast<unsigned>(count));  // all 64 from 64 on
}

/// A key in registers, zeros behind its end. A masked load touches nothing outside of the key.
struct Loaded {
  __m512i block[2];
  std::uint64_t inside[2];  // which bytes are in the key
};

KEYSHIFT_AVX512_INLINE Loaded load(std::string_view key) noexcept {
  Loaded loaded;
  loaded.inside[0] = first_bits(key.size());
  loaded.inside[1] = key.size() > Shape::kBlock ? first_bits(key.size() - Shape::kBlock) : 0;
  loaded.block[0] = _mm512_maskz_loadu_epi8(loaded.inside[0], key.data());
  loaded.block[1] = loaded.inside[1] != 0
                        ? _mm512_maskz_loadu_epi8(loaded.inside[1], key.data() + Shape::kBlock)
                        : _mm512_setzero_si512();
  return loaded;
}

KEYSHIFT_AVX512_INLINE std::uint64_t digits_of(__m512i block) noexcept {
  return _mm512_cmple_epu8_mask(_mm512_sub_epi8(block, _mm512_set1_epi8('0')), _mm512_set1_epi8(9));
}

/// Bits where a block of a key differs from a shape's.
KEYSHIFT_AVX512_INLINE std::uint64_t difference(__m512i key, const std::uint8_t* text,
                                                std::uint64_t open) noexcept {
  const std::uint64_t other = _mm512_cmpneq_epi8_mask(key, _mm512_load_si512(text));
  return (other & ~open) | (~digits_of(key) & open);
}

KEYSHIFT_AVX512_INLINE bool has_shape_avx512(const Shape& shape, std::string_view key) noexcept {
  if (shape.length != key.size()) return false;
  if (key.size() <= Shape::kBlock) {
    if (key.empty()) return true;
    const __m512i block = _mm512_maskz_loadu_epi8(first_bits(key.size()), key.data());
    return difference(block, shape.text(), shape.open.word(0)) == 0;
  }
  if (key.size() > kMostBytes) return has_shape_portably(shape, key);
  const Loaded loaded = load(key);
  return (difference(loaded.block[0], shape.text(), shape.open.word(0)) |
          difference(loaded.block[1], shape.text() + Shape::kBlock, shape.open.word(1))) == 0;
}

KEYSHIFT_AVX512_INLINE void write_result(const Shape& shape, std::string_view key, char* text) noexcept {
  if (shape.key_blocks > 2 || shape.result_blocks > 2) return write_result_portably(shape, key, text);
  const std::uint8_t* result = shape.result();
  const std::uint8_t* source = shape.source();
  const Loaded loaded = load(key);
  if (shape.key_blocks <= 1 && shape.result_blocks <= 1) {
    if (shape.result_blocks == 0) return;
    const __m512i written = _mm512_mask_permutexvar_epi8(_mm512_load_si512(result), shape.copied.word(0),
                                                         _mm512_load_si512(source), loaded.block[0]);
    _mm512_storeu_si512(text, written);
    return;
  }
  for (std::size_t i = 0; i < shape.result_blocks; ++i) {
    const __m512i copied = _mm512_permutex2var_epi8(
        loaded.block[0], _mm512_load_si512(source + i * Shape::kBlock), loaded.block[1]);
    const __m512i written =
        _mm512_mask_blend_epi8(shape.copied.word(i), _mm512_load_si512(result + i * Shape::kBlock), copied);
    _mm512_storeu_si512(text + i * Shape::kBlock, written);
  }
}

__extension__ using Wide = unsigned __int128;

KEYSHIFT_AVX512_INLINE PositionSet open_digits_of(const Loaded& loaded, std::size_t size) noexcept {
  const auto dots = [](__m512i block)
                        KEYSHIFT_AVX512 { return _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8('.')); };
  PositionSet open;
  if (size <= Shape::kBlock) {
    const std::uint64_t end = size < Shape::kBlock ? std::uint64_t{1} << size : 0;
    open.set_word(0, open_bits::find<std::uint64_t>(digits_of(loaded.block[0]), dots(loaded.block[0]), end));
    return open;
  }
  const auto wide = [](std::uint64_t low, std::uint64_t high) { return Wide{low} | (Wide{high} << 64U); };
  const Wide end = size < kMostBytes ? Wide{1} << size : 0;
  const Wide bits = open_bits::find<Wide>(wide(digits_of(loaded.block[0]), digits_of(loaded.block[1])),
                                          wide(dots(loaded.block[0]), dots(loaded.block[1])), end);
  open.set_word(0, static_cast<std::uint64_t>(bits));
  open.set_word(1, static_cast<std::uint64_t>(bits >> 64U));
  return open;
}

KEYSHIFT_AVX512_INLINE __m512i fold(__m512i block, __m512i secret) noexcept {
  const __m512i mixed = _mm512_xor_si512(block, secret);
  return _mm512_add_epi64(_mm512_mul_epu32(mixed, _mm512_srli_epi64(mixed, 32)), block);
}

/// Products of the halves of each eight bytes, as XXH3 takes them, added up.
KEYSHIFT_AVX512_INLINE std::uint64_t hash_loaded(const Loaded& loaded, std::size_t size,
                                                 const PositionSet& open) noexcept {
  const __m512i open_byte = _mm512_set1_epi8(kOpenByte);
  const __m512i secret0 =
      _mm512_set_epi64(0x1CAD21F72C81017C, 0x3E2D0E9B1F5A7C63, 0x78E5C0CC4EE679CB, 0x2172FFCC7DD05A82,
                       0x4E0BF12E8D3C5A97, 0x51B64F9AC3E87D21, 0x0F2A6C94D7B1835E, 0x6D93A1E84B07C2F5);
  const __m512i secret1 = _mm512_rol_epi64(secret0, 29);
  __m512i sum = fold(_mm512_mask_mov_epi8(loaded.block[0], open.word(0), open_byte), secret0);
  if (size > Shape::kBlock) {
    sum =
        _mm512_add_epi64(sum, fold(_mm512_mask_mov_epi8(loaded.block[1], open.word(1), open_byte), secret1));
  }
  // The eight lanes are turned differently, so that swapped words do not give the same sum.
  const __m512i turned = _mm512_rolv_epi64(sum, _mm512_set_epi64(0, 9, 18, 27, 36, 45, 54, 61));
  // Not _mm512_reduce_add_epi64, which adds signed numbers: their overflow is no overflow here.
  const __m256i half = _mm256_add_epi64(_mm512_castsi512_si256(turned), _mm512_extracti64x4_epi64(turned, 1));
  const __m128i quarter = _mm_add_epi64(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
  std::uint64_t hash = static_cast<std::uint64_t>(_mm_cvtsi128_si64(quarter)) +
                       static_cast<std::uint64_t>(_mm_extract_epi64(quarter, 1));
  hash += size * 0x9E3779B97F4A7C15U;
  hash ^= hash >> 32U;
  hash *= 0xD6E8FEB86659FD93U;
  return hash ^ (hash >> 32U);
}

KEYSHIFT_AVX512 std::uint64_t hash_key(std::string_view key, const PositionSet& open) noexcept {
  if (key.size() > kMostBytes) return portable_kernel().hash(key, open);
  return hash_loaded(load(key), key.size(), open);
}

/// Is `shape` that of the loaded key with these open digits?
KEYSHIFT_AVX512_INLINE bool is_shape_of_loaded(const Shape& shape, const Loaded& loaded, std::size_t size,
                                               const PositionSet& open) noexcept {
  if (shape.length != size || shape.open.word(0) != open.word(0) || shape.open.word(1) != open.word(1))
    return false;
  const __m512i open_byte = _mm512_set1_epi8(kOpenByte);
  const auto differs = [&](std::size_t i) KEYSHIFT_AVX512 {
    return _mm512_cmpneq_epi8_mask(_mm512_mask_mov_epi8(loaded.block[i], open.word(i), open_byte),
                                   _mm512_load_si512(shape.text() + i * Shape::kBlock));
  };
  if (size <= Shape::kBlock) return size == 0 || differs(0) == 0;
  return (differs(0) | differs(1)) == 0;
}

/// The shape, of kind result, of a key of up to two blocks; nullptr if there is none in the table.
KEYSHIFT_AVX512_INLINE const Shape* look_up_loaded(const ShapeTable& table, const Loaded& loaded,
                                                   std::size_t size) noexcept {
  PositionSet open = open_digits_of(loaded, size);
  const ShapeTable::Slot* slots = table.slots();
  while (true) {
    const std::uint64_t hash = hash_loaded(loaded, size, open);
    std::size_t i = hash & table.slot_mask();
    const Shape* shape = slots[i].shape;
    while (shape != nullptr && !(slots[i].hash == hash && is_shape_of_loaded(*shape, loaded, size, open))) {
      i = (i + 1) & table.slot_mask();
      shape = slots[i].shape;
    }
    if (shape == nullptr || shape->kind == ShapeKind::result) return shape;
    if (shape->kind != ShapeKind::depends) return nullptr;
    open -= shape->pins;
  }
}

/// Writes a key, and up to a block of anything behind it.
KEYSHIFT_AVX512_INLINE void write_key(std::string_view key, char* text) noexcept {
  if (key.size() > kMostBytes) {
    std::memcpy(text, key.data(), key.size());
    return;
  }
  const Loaded loaded = load(key);
  _mm512_storeu_si512(text, loaded.block[0]);
  if (key.size() > Shape::kBlock) _mm512_storeu_si512(text + Shape::kBlock, loaded.block[1]);
}

struct Avx512 {
  KEYSHIFT_AVX512_INLINE static const Shape* look_up(const ShapeTable& table, std::string_view key) noexcept {
    return key.size() <= kMostBytes ? look_up_loaded(table, load(key), key.size()) : nullptr;
  }
  KEYSHIFT_AVX512_INLINE static bool has_shape(const Shape& shape, std::string_view key) noexcept {
    return has_shape_avx512(shape, key);
  }
  KEYSHIFT_AVX512_INLINE static void write_key(std::string_view key, char* text) noexcept {
    keyshift::write_key(key, text);
  }
  KEYSHIFT_AVX512_INLINE static void write_result(const Shape& shape, std::string_view key,
                                                  char* text) noexcept {
    keyshift::write_result(shape, key, text);
  }
};

bool available() noexcept {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("bmi") &&
         __builtin_cpu_supports("bmi2");
}

}  // namespace

const ShapeKernel* avx512_kernel() noexcept {
  static constexpr ShapeKernel kernel{"AVX-512", hash_key, rename_all<ResultForm::bare, Avx512>,
                                      rename_all<ResultForm::line, Avx512>};
  static const bool is_available = available();
  return is_available ? &kernel : nullptr;
}

}  // namespace keyshift

#else

namespace keyshift {

const ShapeKernel* avx512_kernel() noexcept { return nullptr; }

}  // namespace keyshift

#endif
