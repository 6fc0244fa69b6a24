// The shapes that a run has met, found by hash.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string_view>
#include <vector>

#include "transforms/shape.h"
#include "transforms/shape_learner.h"

namespace keyshift {

/// Owns its shapes; their addresses are stable until clear().
class ShapeTable {
 public:
  struct Slot {
    std::uint64_t hash = 0;
    const Shape* shape = nullptr;
  };

  ShapeTable();

  /// Open addressing: a shape is at slots()[hash & slot_mask()] or behind it, before the first free slot.
  const Slot* slots() const noexcept { return slots_.data(); }
  std::size_t slot_mask() const noexcept { return mask_; }

  /// True if there are so many shapes that no more should be learned: keys without numbers in common.
  bool full() const noexcept { return shapes_.size() >= kMost; }
  /// Adds the shape of `key`. `outcome`: its number in the run's pool, if `kind` is result.
  const Shape& add(std::uint64_t hash, std::string_view key, const PositionSet& open,
                   const LearnedShape& learned, ShapeKind kind, std::uint32_t outcome);
  void clear() noexcept;
  std::size_t size() const noexcept { return shapes_.size(); }

  /// A shape that no key has: what a run begins with.
  const Shape& nothing() const noexcept { return nothing_; }

 private:
  // Real checkpoints have a few hundred shapes. This many take some 15 MiB.
  static constexpr std::size_t kMost = 32'768;

  struct Free {
    void operator()(Shape* shape) const noexcept {
      ::operator delete (static_cast<void*>(shape), std::align_val_t{alignof(Shape)});
    }
  };
  void insert(Slot slot) noexcept;

  std::vector<Slot> slots_;
  std::size_t mask_ = 0;
  std::vector<std::unique_ptr<Shape, Free>> shapes_;
  Shape nothing_;
};

}  // namespace keyshift
