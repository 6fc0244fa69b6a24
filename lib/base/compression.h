// Small texts inside JSON: zlib (through Boost.Iostreams) and base64 (libcrypto).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace keyshift {

/// zlib format at its quickest level, which makes a tenth of a header (the best one makes it a fifth smaller
/// in five times the time); the same text gives the same bytes.
std::string compress(std::string_view text);
/// nullopt when `compressed` is damaged or its text is longer than `limit` bytes.
std::optional<std::string> decompress(std::string_view compressed, std::size_t limit);

std::string to_base64(std::string_view bytes);
/// nullopt unless `text` is canonical base64 with padding.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace keyshift
