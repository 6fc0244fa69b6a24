// How the loops that rename go through many keys: guess shapes while that pays, else look them up.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>

#include "transforms/shape_kernel.h"

namespace keyshift {

// Compiled for the machine of the loop that includes it, which may say so by an attribute.
#ifndef KEYSHIFT_TARGET
#define KEYSHIFT_TARGET
#endif
#define KEYSHIFT_ROUNDS \
  template <class Work> \
  KEYSHIFT_TARGET inline
#define KEYSHIFT_WORK KEYSHIFT_TARGET __attribute__((always_inline)) inline

namespace {  // each loop has its own

/// Tries the shapes that followed the last key's shape before; for tables in order. Gives the number of wrong
/// guesses.
KEYSHIFT_ROUNDS std::size_t rename_guessing(std::span<const std::string_view> keys, Work& work) {
  std::size_t wrong = 0;
  const Shape* last = &work.table.nothing();
  for (const std::string_view key : keys) {
    const Shape* shape = last->next[0];
    if (!work.has_shape(*shape, key)) {
      shape = last->next[1];
      if (!work.has_shape(*shape, key)) {
        ++wrong;
        shape = work.look_up(key);
        if (shape == nullptr) shape = work.ask(key);
        if (shape == nullptr) {
          last = &work.table.nothing();
          continue;
        }
        follows(*last, *shape);
      }
    }
    work.write(*shape, key);
    last = shape;
  }
  return wrong;
}

/// Looks every shape up: slower than a right guess, but the processor can work at several keys at once, as
/// none has to wait for the one before.
KEYSHIFT_ROUNDS void rename_looking_up(std::span<const std::string_view> keys, Work& work) {
  constexpr std::size_t kTogether = 16;
  const Shape* shapes[kTogether];
  while (!keys.empty()) {
    const std::size_t count = std::min(kTogether, keys.size());
    for (std::size_t i = 0; i < count; ++i) shapes[i] = work.look_up(keys[i]);
    std::size_t done = 0;
    for (; done < count && shapes[done] != nullptr; ++done) work.write(*shapes[done], keys[done]);
    if (done < count) {  // what was looked up behind this key may no longer hold
      const Shape* shape = work.ask(keys[done]);
      if (shape != nullptr) work.write(*shape, keys[done]);
      ++done;
    }
    keys = keys.subspan(done);
  }
}

/// `work` has the table; look_up(key): a shape in it or nullptr; ask(key): a shape, or nullptr if the result
/// has been written and shapes that were looked up no longer hold; has_shape(shape, key); write(shape, key).
KEYSHIFT_ROUNDS void rename_in_rounds(std::span<const std::string_view> keys, Work& work) {
  constexpr std::size_t kRound = 256;      // keys
  constexpr unsigned kRoundsWithout = 31;  // before guessing is tried again
  unsigned rounds_without = 0;
  while (!keys.empty()) {
    const auto round = keys.first(std::min(kRound, keys.size()));
    keys = keys.subspan(round.size());
    if (rounds_without > 0) {
      --rounds_without;
      rename_looking_up(round, work);
    } else if (rename_guessing(round, work) > kRound / 3) {
      rounds_without = kRoundsWithout;
    }
  }
}

/// What a loop works on, in registers as far as they go. `Machine`, all static: look_up(table, key),
/// has_shape(shape, key), write_key(key, text), write_result(shape, key, text).
template <ResultForm form, class Machine>
struct Work {
  const ShapeTable& table;
  ShapeSource& source;
  RenamedKeys::Raw& out;
  RenamedKeys::Raw raw = out;

  KEYSHIFT_WORK static bool has_shape(const Shape& shape, std::string_view key) noexcept {
    return Machine::has_shape(shape, key);
  }
  KEYSHIFT_WORK const Shape* look_up(std::string_view key) const noexcept {
    return Machine::look_up(table, key);
  }
  KEYSHIFT_TARGET __attribute__((noinline)) const Shape* ask(std::string_view key) {
    out = raw;
    const Shape* shape = source.shape_of(key, out);
    raw = out;
    return shape;
  }
  KEYSHIFT_TARGET __attribute__((noinline)) void make_room(std::size_t bytes) {
    out = raw;
    source.make_room(bytes, out);
    raw = out;
  }
  KEYSHIFT_WORK void write(const Shape& shape, std::string_view key) {
    const std::size_t size = size_of_result<form>(key.size(), shape.result_length);
    if (static_cast<std::size_t>(raw.text_limit - raw.text) < size) make_room(size);
    char* text = raw.text;
    if constexpr (form == ResultForm::line) {
      Machine::write_key(key, text);
      text += key.size();
      *text++ = '\t';
    }
    Machine::write_result(shape, key, text);
    if constexpr (form == ResultForm::line) text[shape.result_length] = '\n';
    raw.text += size;
    raw.used += size;
    *raw.ends++ = raw.used;
    *raw.outcomes++ = raw.outcome_base + shape.outcome;
  }
};

template <ResultForm form, class Machine>
KEYSHIFT_TARGET void rename_all(std::span<const std::string_view> keys, const ShapeTable& table,
                                ShapeSource& source, RenamedKeys::Raw& out) {
  Work<form, Machine> work{table, source, out};
  rename_in_rounds(keys, work);
  out = work.raw;
}

#undef KEYSHIFT_WORK
#undef KEYSHIFT_ROUNDS

}  // namespace
}  // namespace keyshift
