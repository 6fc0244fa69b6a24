// Text put together piece by piece into one block, for output of which there is much.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "base/huge_pages.h"
#include "base/json_writer.h"
#include "base/plain_bytes.h"

namespace keyshift {

/// reserve() before what follows it; add() itself looks at nothing.
class TextBuilder {
 public:
  /// `expected`: bytes to make room for at once.
  explicit TextBuilder(std::size_t expected) {
    text_.reserve(expected);
    prefer_huge_pages(text_.data(), expected);
    text_.resize(expected);
  }

  static constexpr std::size_t kLongestNumber = 20;  // bytes

  void reserve(std::size_t bytes) {
    if (text_.size() - used_ < bytes) text_.resize(2 * text_.size() + bytes);
  }
  void add(std::string_view piece) noexcept {
    if (piece.empty()) return;  // it may point nowhere
    std::memcpy(text_.data() + used_, piece.data(), piece.size());
    used_ += piece.size();
  }
  void add(std::uint64_t number) noexcept {
    char* at = text_.data() + used_;
    used_ = static_cast<std::size_t>(std::to_chars(at, at + kLongestNumber, number).ptr - text_.data());
  }
  /// A JSON string with its quotes; makes room for itself and `behind` bytes more.
  template <PlainBytes plain>
  void add_string(std::string_view piece, std::size_t behind) {
    if (plain_prefix<plain>(piece) != piece.size()) {
      std::string escaped;
      json::append_string(escaped, piece,
                          plain == PlainBytes::ascii ? json::Escapes::ascii : json::Escapes::raw_utf8);
      reserve(escaped.size() + behind);
      return add(escaped);
    }
    reserve(piece.size() + 2 + behind);
    add("\"");
    add(piece);
    add("\"");
  }

  std::size_t size() const noexcept { return used_; }
  /// What was added so far.
  std::string_view text() const noexcept { return std::string_view(text_).substr(0, used_); }
  /// Forgets the text and keeps the room.
  void clear() noexcept { used_ = 0; }
  /// What was added; the builder is then done with.
  std::string finish() {
    text_.resize(used_);
    return std::move(text_);
  }

 private:
  std::string text_;  // as long as there is room
  std::size_t used_ = 0;
};

}  // namespace keyshift
