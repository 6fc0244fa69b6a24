// Two names laid side by side, part by part between dots.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace keyshift {

using NameParts = std::vector<std::string_view>;

/// What stands between the dots; borrows.
NameParts split_name(std::string_view name);
/// A part of ASCII digits only.
bool is_number(std::string_view part) noexcept;
/// Of a number of at most 18 digits.
std::int64_t number_of(std::string_view part) noexcept;

/// Parts [from_begin, from_end) of one name stand where the other has [to_begin, to_end).
struct Hunk {
  std::size_t from_begin = 0, from_end = 0, to_begin = 0, to_end = 0;
};

/// Fewest parts to be put in, taken out or exchanged; and where, in order. What lies between is the same.
struct Alignment {
  std::size_t distance = 0;
  std::vector<Hunk> hunks;
};
Alignment align_names(const NameParts& from, const NameParts& to);
/// The distance alone.
std::size_t name_distance(std::string_view from, std::string_view to);

}  // namespace keyshift
