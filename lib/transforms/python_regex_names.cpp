// What the parser must know of Unicode's characters (ICU; its one owner is this file).
#include <unicode/uchar.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "transforms/python_regex_parser.h"

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
  const auto can_begin = [](char32_t c) {
    const auto character = static_cast<UChar32>(c);
    return c == U'_' ||
           (is_known_to_python(character) && u_hasBinaryProperty(character, UCHAR_XID_START) != 0);
  };
  const auto can_follow = [](char32_t c) {
    const auto character = static_cast<UChar32>(c);
    return is_known_to_python(character) && u_hasBinaryProperty(character, UCHAR_XID_CONTINUE) != 0;
  };
  return !text.empty() && can_begin(text.front()) && std::all_of(text.begin() + 1, text.end(), can_follow);
}

int decimal_value(char32_t c) { return u_charDigitValue(static_cast<UChar32>(c)); }

}  // namespace keyshift::regex
