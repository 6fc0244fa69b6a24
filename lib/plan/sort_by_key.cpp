#include "plan/sort_by_key.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace keyshift {

namespace {

// Eight bytes of `key` from `depth` on, as a number that sorts as they do; behind the end are zeros.
std::uint64_t chunk_at(std::string_view key, std::size_t depth) {
  std::uint64_t chunk = 0;
  if (depth + 8 <= key.size()) {
    std::memcpy(&chunk, key.data() + depth, 8);
    return __builtin_bswap64(chunk);
  }
  for (std::size_t i = depth; i < key.size(); ++i)
    chunk |= std::uint64_t{static_cast<unsigned char>(key[i])} << (56 - 8 * (i - depth));
  return chunk;
}

// Bytes that `a` and `b` have in common from `depth` on, at most `limit`.
std::size_t common_length(std::string_view a, std::string_view b, std::size_t depth, std::size_t limit) {
  const std::size_t end = std::min({a.size(), b.size(), depth + limit});
  std::size_t at = depth;
  while (at + 8 <= end && std::memcmp(a.data() + at, b.data() + at, 8) == 0) at += 8;
  while (at < end && a[at] == b[at]) ++at;
  return at - depth;
}

class Sorter {
 public:
  // All of `places` agree in their first `depth` bytes.
  void sort(std::span<KeyPlace> places, std::size_t depth) {
    constexpr std::size_t kFew = 8;
    if (places.size() <= kFew) return sort_few(places, depth);
    depth += common_prefix(places, depth);
    // What lies side by side and has the same bytes next moves as one.
    struct Run {
      std::uint64_t chunk;
      std::size_t begin, end;
    };
    std::vector<Run> runs;
    for (std::size_t i = 0; i < places.size(); ++i) {
      const std::uint64_t chunk = chunk_at(places[i].first, depth);
      if (runs.empty() || runs.back().chunk != chunk) runs.push_back({chunk, i, i});
      runs.back().end = i + 1;
    }
    // Nothing but ends of keys, and perhaps NULs.
    if (runs.size() == 1) return sort_rest(places, depth);
    std::stable_sort(runs.begin(), runs.end(), [](const Run& a, const Run& b) { return a.chunk < b.chunk; });
    moved_.assign(places.begin(), places.end());
    std::size_t filled = 0;
    for (const Run& run : runs) {
      std::copy(moved_.begin() + static_cast<std::ptrdiff_t>(run.begin),
                moved_.begin() + static_cast<std::ptrdiff_t>(run.end),
                places.begin() + static_cast<std::ptrdiff_t>(filled));
      filled += run.end - run.begin;
    }
    std::size_t begin = 0;
    for (std::size_t i = 0, end = 0; i < runs.size(); ++i) {
      end += runs[i].end - runs[i].begin;
      if (i + 1 < runs.size() && runs[i + 1].chunk == runs[i].chunk) continue;
      sort(places.subspan(begin, end - begin), depth);
      begin = end;
    }
  }

 private:
  static std::size_t common_prefix(std::span<const KeyPlace> places, std::size_t depth) {
    std::size_t common = places.front().first.size() - depth;
    for (const KeyPlace& place : places)
      common = common_length(places.front().first, place.first, depth, common);
    return common;
  }

  static void sort_rest(std::span<KeyPlace> places, std::size_t depth) {
    const auto before = [depth](const KeyPlace& a, const KeyPlace& b) {
      return a.first.substr(depth) < b.first.substr(depth);
    };
    std::stable_sort(places.begin(), places.end(), before);
  }

  // By insertion: most few lie nearly in order.
  static void sort_few(std::span<KeyPlace> places, std::size_t depth) {
    for (std::size_t i = 1; i < places.size(); ++i) {
      const KeyPlace place = places[i];
      const std::string_view rest = place.first.substr(depth);
      std::size_t at = i;
      for (; at > 0 && rest < places[at - 1].first.substr(depth); --at) places[at] = places[at - 1];
      places[at] = place;
    }
  }

  std::vector<KeyPlace> moved_;
};

bool is_before(const KeyPlace& a, const KeyPlace& b) { return a.first < b.first; }

// Where each run of places begins that are sorted already, and the end. nullopt: there are too many.
std::optional<std::vector<std::size_t>> few_sorted_runs(std::span<const KeyPlace> places) {
  const std::size_t most = 1 + places.size() / 64;
  std::vector<std::size_t> begins{0};
  for (std::size_t i = 1; i < places.size(); ++i) {
    if (!is_before(places[i], places[i - 1])) continue;
    if (begins.size() == most) return std::nullopt;
    begins.push_back(i);
  }
  begins.push_back(places.size());
  return begins;
}

// Of two sorted runs only what lies across their border moves.
void merge(std::span<KeyPlace> places, std::size_t middle) {
  const auto border = places.begin() + static_cast<std::ptrdiff_t>(middle);
  const auto from = std::upper_bound(places.begin(), border, *border, is_before);
  const auto to = std::lower_bound(border, places.end(), *(border - 1), is_before);
  std::inplace_merge(from, border, to, is_before);
}

void merge_runs(std::span<KeyPlace> places, std::vector<std::size_t> begins) {
  while (begins.size() > 2) {
    std::vector<std::size_t> fewer;
    for (std::size_t i = 0; i + 1 < begins.size(); i += 2) {
      fewer.push_back(begins[i]);
      if (i + 2 == begins.size()) break;  // a last one without a neighbour
      merge(places.subspan(begins[i], begins[i + 2] - begins[i]), begins[i + 1] - begins[i]);
    }
    fewer.push_back(begins.back());
    begins = std::move(fewer);
  }
}

}  // namespace

void sort_by_key(std::span<KeyPlace> places) {
  if (auto runs = few_sorted_runs(places)) {
    merge_runs(places, std::move(*runs));
  } else {
    Sorter().sort(places, 0);
  }
}

}  // namespace keyshift
