// Strict UTF-8 as Unicode defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace keyshift::utf8 {

/// Length in bytes of the valid sequence at the start of `text`; 0 if there is none.
std::size_t valid_length(std::string_view text) noexcept;
/// Offset in bytes of the first invalid sequence, or npos.
std::size_t find_invalid(std::string_view text) noexcept;
/// The code point at the start of `text`, which must be valid there.
char32_t decode(std::string_view text) noexcept;
void append(std::string& out, char32_t codepoint);
/// Number of code points of valid UTF-8.
std::size_t count_codepoints(std::string_view text) noexcept;
/// The greatest offset <= `offset` (bytes) that is not inside a sequence.
std::size_t floor_boundary(std::string_view text, std::size_t offset) noexcept;

}  // namespace keyshift::utf8
