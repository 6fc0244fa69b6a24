// A shape of keys and its result, laid out for the loop that renames (shape_kernel.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "transforms/position_set.h"

namespace keyshift {

/// Where the digits of a key's purely numeric parts are (`17` in `layers.17.mlp`, not the `1` of `w1`): what
/// a shape leaves open. None for a key longer than kLongestShape.
PositionSet open_digits(std::string_view key) noexcept;

enum class ShapeKind : std::uint8_t {
  result,   // the rest of the Shape says what keys of this shape become
  depends,  // look again with the digits at `pins` as a part of the text
  exact,    // each key goes the exact path
  ordered,  // what they become depends on the keys before them
};

/// Immutable but for `next`, which only helps to guess. Its three texts, each in blocks of 64 bytes, and its
/// moves follow it in memory.
struct alignas(64) Shape {
  static constexpr std::size_t kBlock = 64;
  static constexpr std::uint16_t kNoLength = 0xFFFF;  // of a shape that no key has
  static constexpr std::size_t kMoveGroup = 8;
  struct Move {
    std::uint8_t to = 0, from = 0;
  };

  std::uint16_t length = kNoLength;  // of the key, bytes
  std::uint16_t result_length = 0;
  std::uint8_t key_blocks = 0, result_blocks = 0;
  ShapeKind kind = ShapeKind::exact;
  std::uint8_t move_groups = 0;
  std::uint32_t outcome = 0;          // number in the run's OutcomePool
  PositionSet open;                   // digits of the key that may be any digits
  mutable const Shape* next[2] = {};  // shapes that followed this one, the last one first; never null
  PositionSet copied;                 // bytes of the result that are copied from the key …
  PositionSet pins;                   // kind depends: a part of `open`

  /// The key's text; kOpenByte at open digits; zeros up to the block's end.
  std::uint8_t* text() noexcept { return reinterpret_cast<std::uint8_t*>(this + 1); }
  const std::uint8_t* text() const noexcept { return reinterpret_cast<const std::uint8_t*>(this + 1); }
  /// The result's text; anything where it is copied.
  std::uint8_t* result() noexcept { return text() + key_blocks * kBlock; }
  const std::uint8_t* result() const noexcept { return text() + key_blocks * kBlock; }
  /// … from these places.
  std::uint8_t* source() noexcept { return result() + result_blocks * kBlock; }
  const std::uint8_t* source() const noexcept { return result() + result_blocks * kBlock; }
  /// The same as a list: bytes of the result, each from its place in the key. In groups, so that a loop goes
  /// over most shapes' in one step; the last one is there again until its group is full.
  Move* moves() noexcept { return reinterpret_cast<Move*>(source() + result_blocks * kBlock); }
  const Move* moves() const noexcept {
    return reinterpret_cast<const Move*>(source() + result_blocks * kBlock);
  }
};
static_assert(sizeof(Shape) == 2 * Shape::kBlock);

/// Stands for an open digit in a shape's text. Keys that have this byte in them get no shape.
inline constexpr std::uint8_t kOpenByte = 1;

/// Remembers that a key of shape `next` came behind one of shape `last`.
inline void follows(const Shape& last, const Shape& next) noexcept {
  last.next[1] = last.next[0];
  last.next[0] = &next;
}

}  // namespace keyshift
