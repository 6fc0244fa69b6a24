// What is asked of Unicode's characters, as Python 3.11 knows them: Unicode 14 (ICU; its one owner is
// unicode_characters.cpp).
#pragma once

#include <optional>
#include <string_view>

namespace keyshift::regex {

/// The character of that Unicode name (letters of either case), nullopt if there is none. Aliases of control
/// characters are not known.
std::optional<char32_t> character_named(std::string_view name);
/// As str.isidentifier().
bool is_identifier(std::u32string_view text);
/// The value of a decimal digit of any script, or -1.
int decimal_value(char32_t c);
/// Python's \w.
bool is_word_character(char32_t c) noexcept;

}  // namespace keyshift::regex
