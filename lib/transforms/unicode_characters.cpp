#include "transforms/unicode_characters.h"

#include <unicode/uchar.h>

#include <algorithm>
#include <string>

namespace keyshift::regex {

namespace {

// Python 3.11 knows Unicode 14; ICU may know later ones.
bool is_known_to_python(UChar32 c) {
  UVersionInfo age{};
  u_charAge(c, age);
  return age[0] >= 1 && age[0] <= 14;
}

}  // namespace

std::optional<char32_t> character_named(std::string_view name) {
  for (const UCharNameChoice choice : {U_UNICODE_CHAR_NAME, U_CHAR_NAME_ALIAS}) {
    UErrorCode error = U_ZERO_ERROR;
    const UChar32 c = u_charFromName(choice, std::string(name).c_str(), &error);
    if (U_SUCCESS(error) && is_known_to_python(c)) return static_cast<char32_t>(c);
  }
  return std::nullopt;
}

bool is_identifier(std::u32string_view text) {
  const auto is_ascii_letter = [](char32_t c) {
    return (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z') || c == U'_';
  };
  const auto is_ascii_digit = [](char32_t c) { return c >= U'0' && c <= U'9'; };
  const auto can_begin = [&](char32_t c) {
    if (c < 0x80) return is_ascii_letter(c);
    const auto character = static_cast<UChar32>(c);
    return c == U'_' ||
           (is_known_to_python(character) && u_hasBinaryProperty(character, UCHAR_XID_START) != 0);
  };
  const auto can_follow = [&](char32_t c) {
    if (c < 0x80) return is_ascii_letter(c) || is_ascii_digit(c);
    const auto character = static_cast<UChar32>(c);
    return is_known_to_python(character) && u_hasBinaryProperty(character, UCHAR_XID_CONTINUE) != 0;
  };
  return !text.empty() && can_begin(text.front()) && std::all_of(text.begin() + 1, text.end(), can_follow);
}

bool is_word_character(char32_t c) noexcept {
  if (c < 0x80)
    return (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z') || (c >= U'0' && c <= U'9') || c == U'_';
  const auto character = static_cast<UChar32>(c);
  return (U_GET_GC_MASK(character) & (U_GC_L_MASK | U_GC_N_MASK)) != 0 && is_known_to_python(character);
}

int decimal_value(char32_t c) { return u_charDigitValue(static_cast<UChar32>(c)); }

}  // namespace keyshift::regex
