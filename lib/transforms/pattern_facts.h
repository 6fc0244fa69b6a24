// What can be said about a pattern without running it (TRANSFORMS.md, T36 … T38): the trie asks this to know
// which keys a pattern can match at all, and whether one key's result holds for keys that differ only in
// numbers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "transforms/python_regex.h"

namespace keyshift::regex {

struct PatternFacts {
  /// Any subject that matches contains at least one of these texts (UTF-8, byte for byte; sorted, each once,
  /// none is empty). Alternatives give a union, of a sequence the best part counts: the one whose shortest
  /// text is longest. nullopt: nothing is known to be required. An empty vector: the pattern matches nothing.
  std::optional<std::vector<std::string>> required_literals;

  /// Every match begins at the start of the subject.
  bool anchored_at_start = false;
  /// If not empty, the subject's text from where the match begins starts with one of these (UTF-8; sorted,
  /// each once, none is empty). Together with anchored_at_start: the subject starts with one of them.
  std::vector<std::string> prefixes;

  /// False only if proven: for any two subjects of equal length that differ only in the values of ASCII
  /// digits inside purely numeric parts (the text between two dots, or between a dot and an end, all of it
  /// ASCII digits: `17` in `layers.17.mlp`), search() gives the same spans for the match and for all groups.
  /// It says nothing of the texts in the spans, which may differ.
  bool tells_digits_apart = true;
};

/// Cost: about linear in the pattern's size.
PatternFacts facts_of(const Syntax& syntax);

}  // namespace keyshift::regex
