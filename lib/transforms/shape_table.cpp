#include "transforms/shape_table.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace keyshift {
namespace {

std::uint8_t blocks(std::size_t bytes) {
  return static_cast<std::uint8_t>((bytes + Shape::kBlock - 1) / Shape::kBlock);
}

}  // namespace

ShapeTable::ShapeTable() : slots_(256), mask_(slots_.size() - 1) {
  nothing_.next[0] = nothing_.next[1] = &nothing_;
}

const Shape& ShapeTable::add(std::uint64_t hash, std::string_view key, const PositionSet& open,
                             const LearnedShape& learned, ShapeKind kind, std::uint32_t outcome) {
  const bool has_result = kind == ShapeKind::result;
  const std::size_t result_length = has_result ? learned.text.size() : 0;
  const auto copied = has_result
                          ? static_cast<std::size_t>(std::count_if(
                                learned.copied_from.begin(),
                                learned.copied_from.begin() + static_cast<std::ptrdiff_t>(result_length),
                                [](std::uint8_t from) { return from != LearnedShape::kLiteral; }))
                          : 0;
  const std::size_t move_groups = (copied + Shape::kMoveGroup - 1) / Shape::kMoveGroup;
  const std::size_t result_blocks = has_result ? std::max<std::size_t>(1, blocks(result_length)) : 0;
  const std::size_t bytes = sizeof(Shape) + Shape::kBlock * (blocks(key.size()) + 2 * result_blocks) +
                            move_groups * Shape::kMoveGroup * sizeof(Shape::Move);
  void* memory = ::operator new (bytes, std::align_val_t{alignof(Shape)});
  std::memset(memory, 0, bytes);
  std::unique_ptr<Shape, Free> shape(new (memory) Shape);
  shape->length = static_cast<std::uint16_t>(key.size());
  shape->result_length = static_cast<std::uint16_t>(result_length);
  shape->key_blocks = blocks(key.size());
  shape->result_blocks = static_cast<std::uint8_t>(result_blocks);
  shape->move_groups = static_cast<std::uint8_t>(move_groups);
  shape->kind = kind;
  shape->outcome = outcome;
  shape->open = open;
  shape->next[0] = shape.get();
  shape->next[1] = &nothing_;
  shape->pins = learned.pins;
  std::copy(key.begin(), key.end(), shape->text());
  open.for_each([&](std::size_t at) { shape->text()[at] = kOpenByte; });
  std::size_t moved = 0;
  for (std::size_t i = 0; i < result_length; ++i) {
    shape->result()[i] = static_cast<std::uint8_t>(learned.text[i]);
    if (learned.copied_from[i] == LearnedShape::kLiteral) continue;
    shape->copied.insert(i);
    shape->source()[i] = learned.copied_from[i];
    shape->moves()[moved++] = {static_cast<std::uint8_t>(i), learned.copied_from[i]};
  }
  for (; moved % Shape::kMoveGroup != 0; ++moved) shape->moves()[moved] = shape->moves()[moved - 1];

  shapes_.push_back(std::move(shape));
  if (shapes_.size() * 2 > slots_.size()) {
    std::vector<Slot> old(slots_.size() * 4);
    old.swap(slots_);
    mask_ = slots_.size() - 1;
    for (const Slot& slot : old) {
      if (slot.shape != nullptr) insert(slot);
    }
  }
  insert({hash, shapes_.back().get()});
  return *shapes_.back();
}

void ShapeTable::insert(Slot slot) noexcept {
  std::size_t i = slot.hash & mask_;
  while (slots_[i].shape != nullptr) i = (i + 1) & mask_;
  slots_[i] = slot;
}

void ShapeTable::clear() noexcept {
  std::fill(slots_.begin(), slots_.end(), Slot{});
  shapes_.clear();
  nothing_.next[0] = nothing_.next[1] = &nothing_;
}

}  // namespace keyshift
