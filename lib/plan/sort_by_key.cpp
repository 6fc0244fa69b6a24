#include "plan/sort_by_key.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

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
    if (runs.size() == 1) return sort_few(places, depth);
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

  static void sort_few(std::span<KeyPlace> places, std::size_t depth) {
    const auto before = [depth](const KeyPlace& a, const KeyPlace& b) {
      return a.first.substr(depth) < b.first.substr(depth);
    };
    if (places.size() > 1) std::stable_sort(places.begin(), places.end(), before);
  }

  std::vector<KeyPlace> moved_;
};

}  // namespace

void sort_by_key(std::vector<KeyPlace>& places) {
  const auto before = [](const KeyPlace& a, const KeyPlace& b) { return a.first < b.first; };
  if (!std::is_sorted(places.begin(), places.end(), before)) Sorter().sort(places, 0);
}

}  // namespace keyshift
