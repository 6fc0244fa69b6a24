#include "transforms/shape_learner.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error.h"
#include "transforms/digit_dependence.h"

namespace keyshift {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The open digit number n is written as digit n / 9 in the first stand-in, and in the second as one of the
// nine others.
constexpr std::size_t kMostOpenDigits = 90;
char first_code(std::size_t n) { return static_cast<char>('0' + n / 9); }
char second_code(std::size_t n) { return static_cast<char>('0' + (n / 9 + 1 + n % 9) % 10); }
std::size_t number_of(char first, char second) {
  const int distance = (second - first + 10) % 10;  // 1 … 9
  return static_cast<std::size_t>((first - '0') * 9 + distance - 1);
}

enum class Certainty : std::uint8_t { no, depends, yes };

}  // namespace

/// The two stand-ins on their way through the transforms.
struct ShapeLearner::Pair {
  std::string first, second;
  PositionSet open;  // where the two differ: digits that were copied from open digits of the key
  std::array<std::uint8_t, kMostOpenDigits> key_positions{};  // of the key's open digits, by number

  Pair(std::string_view key, const PositionSet& key_open) : first(key), second(key), open(key_open) {
    std::size_t n = 0;
    key_open.for_each([&](std::size_t at) {
      first[at] = first_code(n);
      second[at] = second_code(n);
      key_positions[n++] = static_cast<std::uint8_t>(at);
    });
  }

  /// After a change: finds the open digits again. False if the two no longer go side by side.
  bool align() {
    if (first.size() != second.size() || first.size() > kLongestShape) return false;
    open = {};
    for (std::size_t i = 0; i < first.size(); ++i) {
      if (first[i] == second[i]) continue;
      if (!is_digit(first[i]) || !is_digit(second[i])) return false;
      open.insert(i);
    }
    return true;
  }

  std::size_t key_position(std::size_t at) const { return key_positions[number_of(first[at], second[at])]; }

  /// Could the bytes at a and b be different in one key of the shape and equal in another?
  Certainty equal(std::size_t a, std::size_t b) const {
    const bool open_a = open.contains(a), open_b = open.contains(b);
    if (!open_a && !open_b) return first[a] == first[b] ? Certainty::yes : Certainty::no;
    if (open_a && open_b) return key_position(a) == key_position(b) ? Certainty::yes : Certainty::depends;
    return is_digit(first[open_a ? b : a]) ? Certainty::depends : Certainty::no;
  }

  /// Does `prefix` begin the text? Positions on which that depends go to `pins`.
  Certainty begins_with(std::string_view prefix, PositionSet& pins) const {
    if (first.size() < prefix.size()) return Certainty::no;
    PositionSet depends;
    for (std::size_t i = 0; i < prefix.size(); ++i) {
      if (open.contains(i) && is_digit(prefix[i])) {
        depends.insert(i);
      } else if (first[i] != prefix[i] || open.contains(i)) {
        return Certainty::no;
      }
    }
    if (depends.empty()) return Certainty::yes;
    pins |= depends;
    return Certainty::depends;
  }

  /// Is the first place at or after `from` where the text of [begin, end) stands the same in all keys of the
  /// shape? If not, the digits at fault go to `pins`.
  bool first_occurrence_is_fixed(std::size_t from, std::size_t begin, std::size_t end,
                                 PositionSet& pins) const {
    for (std::size_t at = from; at < begin; ++at) {
      Certainty all = Certainty::yes;
      PositionSet depends;
      for (std::size_t i = 0; begin + i < end && all != Certainty::no; ++i) {
        const Certainty one = equal(at + i, begin + i);
        if (one == Certainty::depends) {
          if (open.contains(at + i)) depends.insert(at + i);
          if (open.contains(begin + i)) depends.insert(begin + i);
        }
        if (one != Certainty::yes) all = one;
      }
      if (all == Certainty::yes) return true;
      if (all == Certainty::depends) {
        pins |= depends;
        return false;
      }
    }
    return true;
  }
};

LearnedShape ShapeLearner::learn(std::string_view key, const PositionSet& open, const ArmedSteps& armed) {
  LearnedShape learned;
  if (open.size() > kMostOpenDigits || trie_->has_mappings()) return learned;
  Pair pair(key, open);
  const auto depends_on = [&](const PositionSet& pins) {
    pins.for_each([&](std::size_t at) { learned.pins.insert(pair.key_position(at)); });
    learned.kind = learned.pins.empty() ? LearnedShape::Kind::exact : LearnedShape::Kind::depends;
    return std::move(learned);
  };
  try {
    if (!strip(pair, learned.outcome)) return learned;
    walk_.begin(pair.first, pair.open);
    for (std::uint32_t number = 0; walk_.next(number);) {
      const std::size_t matched = learned.outcome.transforms.size();
      PositionSet pins;
      if (!try_step(number, pair, armed, learned, pins)) return depends_on(pins);
      if (learned.outcome.transforms.size() != matched) walk_.renamed(number, pair.first, pair.open);
    }
  } catch (const Error&) {
    return learned;  // the exact path will say it of the key itself
  }
  learned.kind = LearnedShape::Kind::result;
  learned.copied_from.fill(LearnedShape::kLiteral);
  pair.open.for_each(
      [&](std::size_t at) { learned.copied_from[at] = static_cast<std::uint8_t>(pair.key_position(at)); });
  learned.text = std::move(pair.first);
  return learned;
}

bool ShapeLearner::strip(Pair& pair, RenameOutcome& outcome) {
  if (!trie_->renaming().options().strip_wrappers) return true;
  std::string stripped = strip_wrappers(pair.first);
  outcome.stripped_wrappers = stripped != pair.first;
  if (!outcome.stripped_wrappers) return true;
  pair.first = std::move(stripped);
  pair.second = strip_wrappers(pair.second);
  return pair.align();
}

bool ShapeLearner::try_step(std::uint32_t number, Pair& pair, const ArmedSteps& armed, LearnedShape& learned,
                            PositionSet& pins) {
  const TransformTrie::Step& step = trie_->steps()[number];
  // Where the subject of the search begins: behind the prefix of the scope.
  std::size_t begin = 0;
  if (step.is_scoped) {
    Certainty certainty = Certainty::no;
    for (const std::string& prefix : step.prefixes) {
      certainty = pair.begins_with(prefix, pins);
      if (certainty == Certainty::depends) return false;
      begin = prefix.size();
      if (certainty == Certainty::yes) break;
    }
    if (certainty == Certainty::no) return true;
  }

  if (!step.treats_digits_alike && !pair.open.empty()) {
    PositionSet open;
    pair.open.for_each([&](std::size_t at) {
      if (at >= begin) open.insert(at - begin);
    });
    const DigitDependence dependence = digit_dependence(step.transform->pattern().syntax(),
                                                        std::string_view(pair.first).substr(begin), open);
    if (!dependence.can_match) return true;
    dependence.depends.for_each([&](std::size_t at) { pins.insert(at + begin); });
    if (!pins.empty()) return false;
  }

  first_.assign(pair.first);
  bool armed_first = armed[number], armed_second = armed[number];
  const std::optional<Applied> applied = step.transform->apply(first_, armed_first);
  if (armed_first != armed[number]) return false;
  if (!applied) return true;
  second_.assign(pair.second);
  const std::optional<Applied> same = step.transform->apply(second_, armed_second);
  if (!same || same->source != applied->source || same->match_begin != applied->match_begin ||
      same->match_end != applied->match_end) {
    return false;
  }
  if (!pair.first_occurrence_is_fixed(begin, applied->match_begin, applied->match_end, pins)) return false;
  if (step.transform->transform().type == TransformType::Inkling2IndexOffsetWeightRename) {
    // It computes with the number, which is in the match unless it was only looked at.
    pins = pair.open & PositionSet::range(applied->match_begin, applied->match_end);
    if (pins.empty()) pins = pair.open;
    if (!pins.empty()) return false;
  }
  learned.outcome.transforms.push_back(step.index);
  if (step.is_converter) learned.outcome.converter = step.transform->source_patterns()[applied->source];
  learned.group_matched |= step.transform->is_stateful();
  pair.first.swap(first_);
  pair.second.swap(second_);
  return pair.align();
}

}  // namespace keyshift
