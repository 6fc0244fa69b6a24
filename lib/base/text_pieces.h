// A text that was made in parts and is written as one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"

namespace keyshift {

/// Pieces that follow each other. They are borrowed.
class TextPieces {
 public:
  TextPieces(std::string_view text) : pieces_{text} {}
  TextPieces(const std::vector<std::string>& pieces) : pieces_(pieces.begin(), pieces.end()) {}

  std::span<const std::string_view> pieces() const noexcept { return pieces_; }

  std::uint64_t size() const noexcept {  // bytes
    std::uint64_t sum = 0;
    for (const std::string_view piece : pieces_) sum += piece.size();
    return sum;
  }

  Digest digest() const {
    Hasher hasher;
    for (const std::string_view piece : pieces_) hasher.update(std::as_bytes(std::span(piece)));
    return hasher.value();
  }

 private:
  std::vector<std::string_view> pieces_;
};

}  // namespace keyshift
