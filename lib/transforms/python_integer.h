// Integers as Python's int() and str() know them: digits of every script, any number of them (TRANSFORMS.md,
// T11, T16).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace keyshift::python {

/// The value of a decimal digit of any script (Unicode 14, general category Nd), or -1.
int decimal_value(char32_t codepoint) noexcept;

/// `text` as ASCII digits if it holds one decimal digit or more and nothing else; nullopt otherwise. `text`
/// is valid UTF-8.
std::optional<std::string> ascii_digits(std::string_view text);

/// str(int(text) + offset): white space around, a sign and single underscores between digits are allowed, as
/// in int(). nullopt where int() refuses `text`.
std::optional<std::string> add_to_integer(std::string_view text, std::int64_t offset);

}  // namespace keyshift::python
