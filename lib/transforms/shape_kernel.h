// The loop that renames: guesses each key's shape from the one before, looks it up if the guess is wrong, and
// writes the result. There is one for every machine, and there are two that use what newer x86-64 processors
// have.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "transforms/renamed_keys.h"
#include "transforms/shape.h"
#include "transforms/shape_table.h"

namespace keyshift {

/// What the loop asks for when it cannot go on alone.
class ShapeSource {
 public:
  ShapeSource() = default;
  ShapeSource(const ShapeSource&) = delete;
  ShapeSource& operator=(const ShapeSource&) = delete;

  /// The shape of a key that is not in the table, of kind result; or nullptr after writing the key's result
  /// to `raw` itself. May change the table: shapes found before are no longer to be used after a nullptr.
  virtual const Shape* shape_of(std::string_view key, RenamedKeys::Raw& raw) = 0;
  /// Makes room for `bytes` more of text.
  virtual void make_room(std::size_t bytes, RenamedKeys::Raw& raw) = 0;

 protected:
  ~ShapeSource() = default;
};

struct ShapeKernel {
  const char* name;
  /// Hash of a key's text with kOpenByte at the `open` digits. The table's hashes are of one kernel.
  std::uint64_t (*hash)(std::string_view key, const PositionSet& open) noexcept;
  /// Appends the results of `keys` to `raw`, where there is room for their ends.  Reads nothing outside of
  /// the keys and writes text up to RenamedKeys::kSlack bytes behind raw.text_limit.
  void (*rename)(std::span<const std::string_view> keys, const ShapeTable& table, ShapeSource& source,
                 RenamedKeys::Raw& raw);
  /// The same with each result in a line, behind its key and a tab.
  void (*write_lines)(std::span<const std::string_view> keys, const ShapeTable& table, ShapeSource& source,
                      RenamedKeys::Raw& raw);
};

/// Is `shape` that of a key with these open digits?
bool is_shape_of(const Shape& shape, std::string_view key, const PositionSet& open) noexcept;
/// The shape of a key in the table, with its open digits; shapes that depend on digits are followed. nullptr
/// if there is none: `open` then tells with which open digits it should be added.
const Shape* find_shape(const ShapeTable& table, const ShapeKernel& kernel, std::string_view key,
                        PositionSet& open) noexcept;

/// Does the key have this shape? For shapes and keys of any length.
bool has_shape_portably(const Shape& shape, std::string_view key) noexcept;
/// Writes the result of a key of this shape. May write up to 63 bytes behind it.
void write_result_portably(const Shape& shape, std::string_view key, char* text) noexcept;

/// What stands around a result: nothing, or the rest of its line.
enum class ResultForm : std::uint8_t { bare, line };
/// Bytes that a result takes.
template <ResultForm form>
constexpr std::size_t size_of_result(std::size_t key, std::size_t result) noexcept {
  return form == ResultForm::line ? key + result + 2 : result;
}

const ShapeKernel& portable_kernel() noexcept;
/// nullptr if this machine has not what it takes.
const ShapeKernel* avx2_kernel() noexcept;
const ShapeKernel* avx512_kernel() noexcept;
/// The fastest one for this machine.
const ShapeKernel& best_kernel() noexcept;

}  // namespace keyshift
