// Small texts inside JSON: zlib's format (through libdeflate) and base64 (libcrypto).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace keyshift {

/// zlib format at the quickest level, which makes less than a tenth of a header; the same text gives the same
/// bytes.
std::string compress(std::string_view text);
/// nullopt unless `compressed` is zlib format, whole, of a text of just `size` bytes.
std::optional<std::string> decompress(std::string_view compressed, std::size_t size);

std::string to_base64(std::string_view bytes);
/// nullopt unless `text` is canonical base64 with padding.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace keyshift
