#include "compare/name_alignment.h"

#include <algorithm>

namespace keyshift {

namespace {

// distance[i][j]: from the first i parts to the first j.
std::vector<std::vector<std::size_t>> distances(const NameParts& from, const NameParts& to) {
  std::vector<std::vector<std::size_t>> table(from.size() + 1, std::vector<std::size_t>(to.size() + 1));
  for (std::size_t i = 0; i <= from.size(); ++i) {
    for (std::size_t j = 0; j <= to.size(); ++j) {
      if (i == 0 || j == 0) {
        table[i][j] = i + j;
        continue;
      }
      const std::size_t exchanged = table[i - 1][j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
      table[i][j] = std::min({exchanged, table[i - 1][j] + 1, table[i][j - 1] + 1});
    }
  }
  return table;
}

}  // namespace

NameParts split_name(std::string_view name) {
  NameParts parts;
  while (true) {
    const std::size_t dot = name.find('.');
    parts.push_back(name.substr(0, dot));
    if (dot == std::string_view::npos) return parts;
    name.remove_prefix(dot + 1);
  }
}

bool is_number(std::string_view part) noexcept {
  return !part.empty() && std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::int64_t number_of(std::string_view part) noexcept {
  std::int64_t number = 0;
  for (const char c : part) number = number * 10 + (c - '0');
  return number;
}

Alignment align_names(const NameParts& from, const NameParts& to) {
  const auto table = distances(from, to);
  Alignment alignment;
  alignment.distance = table[from.size()][to.size()];
  std::size_t i = from.size(), j = to.size();
  bool open = false;  // the hunk at the back reaches up to here
  const auto extend = [&](std::size_t new_i, std::size_t new_j) {
    if (!open) alignment.hunks.push_back({i, i, j, j});
    open = true;
    i = new_i;
    j = new_j;
    alignment.hunks.back().from_begin = i;
    alignment.hunks.back().to_begin = j;
  };
  while (i > 0 || j > 0) {
    const std::size_t here = table[i][j];
    if (i > 0 && j > 0 && from[i - 1] == to[j - 1] && here == table[i - 1][j - 1]) {
      open = false;
      --i;
      --j;
    } else if (i > 0 && j > 0 && here == table[i - 1][j - 1] + 1) {
      extend(i - 1, j - 1);
    } else if (i > 0 && here == table[i - 1][j] + 1) {
      extend(i - 1, j);
    } else {
      extend(i, j - 1);
    }
  }
  std::reverse(alignment.hunks.begin(), alignment.hunks.end());
  return alignment;
}

std::size_t name_distance(std::string_view from, std::string_view to) {
  if (from == to) return 0;
  return distances(split_name(from), split_name(to)).back().back();
}

}  // namespace keyshift
