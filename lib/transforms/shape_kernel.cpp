#include "transforms/shape_kernel.h"

#include <array>
#include <bit>
#include <cstring>

#include "transforms/key_words.h"
#include "transforms/shape_rounds.h"

namespace keyshift {
namespace {

// Sixteen bytes in one register of any machine (SSE2, NEON).
using Vector = std::uint8_t __attribute__((vector_size(16)));

Vector load(const void* from) noexcept {
  Vector vector;
  std::memcpy(&vector, from, sizeof vector);
  return vector;
}

bool any(Vector vector) noexcept {
  std::uint64_t halves[2];
  std::memcpy(halves, &vector, sizeof halves);
  return (halves[0] | halves[1]) != 0;
}

/// Non-zero bytes where the key differs from the shape: kOpenByte takes any digit.
Vector difference(Vector key, Vector shape) noexcept {
  const Vector open = reinterpret_cast<Vector>(shape == kOpenByte);
  const Vector no_digit = reinterpret_cast<Vector>((key - std::uint8_t{'0'}) > std::uint8_t{9});
  // A key may hold the byte that stands for an open digit; then it differs, and the exact path is taken.
  return (open & no_digit) | (~open & (key ^ shape));
}

/// For each eight bits the eight bytes that they stand for, all ones or all zeros.
constexpr std::array<std::uint64_t, 256> kBytesOfBits = [] {
  std::array<std::uint64_t, 256> all{};
  for (std::size_t bits = 0; bits < all.size(); ++bits) {
    for (std::size_t i = 0; i < 8; ++i)
      if (((bits >> i) & 1U) != 0) all[bits] |= std::uint64_t{0xFF} << (8 * i);
  }
  return all;
}();

std::uint64_t hash_portably(std::string_view key, const PositionSet& open) noexcept {
  constexpr std::uint64_t kFactor = 0x9E3779B97F4A7C15U, kOther = 0xD6E8FEB86659FD93U;
  constexpr std::uint64_t kOpenBytes = kOpenByte * 0x0101010101010101U;
  std::uint64_t hash = key.size() * kFactor;
  // No product waits for another one.
  for_each_word(key, [&](std::uint64_t word, std::size_t at) {
    const std::uint64_t is_open = kBytesOfBits[open.byte_at(at)];
    const std::uint64_t product = (((word & ~is_open) | (kOpenBytes & is_open)) + at * kOther) * kFactor;
    hash += std::rotl(product, 32) ^ product;
  });
  hash = (hash ^ (hash >> 32U)) * kOther;
  return hash ^ (hash >> 32U);
}

struct AnyMachine {
  static const Shape* look_up(const ShapeTable& table, std::string_view key) noexcept {
    if (key.size() > kLongestShape) return nullptr;
    PositionSet open = open_digits(key);
    const Shape* shape = find_shape(table, portable_kernel(), key, open);
    return shape != nullptr && shape->kind == ShapeKind::result ? shape : nullptr;
  }
  static bool has_shape(const Shape& shape, std::string_view key) noexcept {
    return has_shape_portably(shape, key);
  }
  static void write_key(std::string_view key, char* text) noexcept {
    if (!key.empty()) std::memcpy(text, key.data(), key.size());
  }
  static void write_result(const Shape& shape, std::string_view key, char* text) noexcept {
    write_result_portably(shape, key, text);
  }
};

}  // namespace

bool has_shape_portably(const Shape& shape, std::string_view key) noexcept {
  if (shape.length != key.size()) return false;
  constexpr std::size_t kSize = sizeof(Vector);
  const std::size_t size = key.size();
  const auto differs = [&](std::size_t at) {
    return difference(load(key.data() + at), load(shape.text() + at));
  };
  if (size < kSize) {
    Vector whole{};
    if (size != 0) std::memcpy(&whole, key.data(), size);
    return size == 0 || !any(difference(whole, load(shape.text())));
  }
  if (size >= 2 * kSize && size <= 4 * kSize)  // no loop whose end would have to be guessed
    return !any(differs(0) | differs(kSize) | differs(size - 2 * kSize) | differs(size - kSize));
  Vector all = differs(size - kSize);
  for (std::size_t at = 0; at + kSize <= size; at += kSize) all |= differs(at);
  return !any(all);
}

void write_result_portably(const Shape& shape, std::string_view key, char* text) noexcept {
  const std::uint8_t* result = shape.result();
  std::memcpy(text, result, Shape::kBlock);
  for (std::size_t at = Shape::kBlock; at < shape.result_length; at += Shape::kBlock)
    std::memcpy(text + at, result + at, Shape::kBlock);
  const Shape::Move* move = shape.moves();
  for (std::size_t group = 0; group < shape.move_groups; ++group) {
    for (std::size_t i = 0; i < Shape::kMoveGroup; ++i, ++move) text[move->to] = key[move->from];
  }
}

bool is_shape_of(const Shape& shape, std::string_view key, const PositionSet& open) noexcept {
  return shape.open == open && has_shape_portably(shape, key);
}

const Shape* find_shape(const ShapeTable& table, const ShapeKernel& kernel, std::string_view key,
                        PositionSet& open) noexcept {
  while (true) {
    const std::uint64_t hash = kernel.hash(key, open);
    const ShapeTable::Slot* slots = table.slots();
    std::size_t i = hash & table.slot_mask();
    while (slots[i].shape != nullptr && !(slots[i].hash == hash && is_shape_of(*slots[i].shape, key, open))) {
      i = (i + 1) & table.slot_mask();
    }
    const Shape* shape = slots[i].shape;
    if (shape == nullptr || shape->kind != ShapeKind::depends) return shape;
    open -= shape->pins;
  }
}

const ShapeKernel& portable_kernel() noexcept {
  static constexpr ShapeKernel kernel{"portable", hash_portably, rename_all<ResultForm::bare, AnyMachine>,
                                      rename_all<ResultForm::line, AnyMachine>};
  return kernel;
}

const ShapeKernel& best_kernel() noexcept {
  for (const ShapeKernel* kernel : {avx512_kernel(), avx2_kernel()}) {
    if (kernel != nullptr) return *kernel;
  }
  return portable_kernel();
}

}  // namespace keyshift
