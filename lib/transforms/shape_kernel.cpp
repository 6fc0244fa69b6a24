#include "transforms/shape_kernel.h"

#include <bit>
#include <cstring>

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

std::uint64_t hash_portably(std::string_view key, const PositionSet& open) noexcept {
  alignas(8) std::uint8_t text[PositionSet::kLimit] = {};
  if (!key.empty()) std::memcpy(text, key.data(), key.size());
  open.for_each([&](std::size_t at) { text[at] = kOpenByte; });
  constexpr std::uint64_t kFactor = 0x9E3779B97F4A7C15U;
  std::uint64_t hash = key.size() * kFactor;
  for (std::size_t at = 0; at < key.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text + at, sizeof word);
    hash = (std::rotl(hash, 23) ^ word) * kFactor;
  }
  hash ^= hash >> 32U;
  return hash * kFactor;
}

void rename_portably(std::span<const std::string_view> keys, const ShapeTable& table, ShapeSource& source,
                     RenamedKeys::Raw& raw) {
  const Shape* last = &table.nothing();
  for (const std::string_view key : keys) {
    const Shape* shape = last->next[0];
    if (!has_shape_portably(*shape, key)) {
      shape = last->next[1];
      if (!has_shape_portably(*shape, key)) {
        shape = nullptr;
        if (key.size() <= kLongestShape) {
          PositionSet open = open_digits(key);
          shape = find_shape(table, portable_kernel(), key, open);
        }
        if (shape == nullptr || shape->kind != ShapeKind::result) {
          shape = source.shape_of(key, raw);
          if (shape == nullptr) {
            last = &table.nothing();
            continue;
          }
        }
        follows(*last, *shape);
      }
    }
    if (static_cast<std::size_t>(raw.text_limit - raw.text) < shape->result_length) {
      source.make_room(shape->result_length, raw);
    }
    write_result_portably(*shape, key, raw.text);
    raw.text += shape->result_length;
    raw.used += shape->result_length;
    *raw.ends++ = raw.used;
    *raw.outcomes++ = raw.outcome_base + shape->outcome;
    last = shape;
  }
}

}  // namespace

bool has_shape_portably(const Shape& shape, std::string_view key) noexcept {
  if (shape.length != key.size()) return false;
  const std::size_t size = key.size();
  if (size == 0) return true;
  if (size < sizeof(Vector)) {
    Vector whole{};
    std::memcpy(&whole, key.data(), size);
    return !any(difference(whole, load(shape.text())));
  }
  Vector differs{};
  for (std::size_t at = 0; at + sizeof(Vector) <= size; at += sizeof(Vector)) {
    differs |= difference(load(key.data() + at), load(shape.text() + at));
  }
  const std::size_t tail = size - sizeof(Vector);
  differs |= difference(load(key.data() + tail), load(shape.text() + tail));
  return !any(differs);
}

void write_result_portably(const Shape& shape, std::string_view key, char* text) noexcept {
  const std::uint8_t* result = shape.result();
  for (std::size_t at = 0; at < shape.result_length; at += 2 * sizeof(Vector)) {
    std::memcpy(text + at, result + at, 2 * sizeof(Vector));
  }
  const std::uint8_t* source = shape.source();
  shape.copied.for_each([&](std::size_t at) { text[at] = key[source[at]]; });
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
  static constexpr ShapeKernel kernel{"portable", hash_portably, rename_portably};
  return kernel;
}

const ShapeKernel& best_kernel() noexcept {
  const ShapeKernel* avx512 = avx512_kernel();
  return avx512 != nullptr ? *avx512 : portable_kernel();
}

}  // namespace keyshift
