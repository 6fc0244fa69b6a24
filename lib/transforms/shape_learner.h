// Learns from one key what the transforms make of every key of its shape (TRANSFORMS.md, T40).
//
// Two stand-ins of the key go through the transforms instead of the key itself: their open digits are chosen
// so that the pair of digits at a place in the two results tells which open digit of the key was copied
// there. Before each transform runs it is made sure that it takes the same steps on all keys of the shape;
// where it does not, the digits on which it depends are named, and the caller learns again with those digits
// fixed.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "transforms/exact_path.h"
#include "transforms/position_set.h"
#include "transforms/renaming.h"
#include "transforms/transform_trie.h"

namespace keyshift {

struct LearnedShape {
  enum class Kind : std::uint8_t {
    result,   // text, copied_from and outcome hold for every key of the shape
    depends,  // the result depends on the values of the open digits at `pins`
    exact,    // nothing can be said: each key has to go the exact path
  };
  static constexpr std::uint8_t kLiteral = 255;

  Kind kind = Kind::exact;
  PositionSet pins;  // never empty, a part of the open positions
  std::string text;  // of the new key; at places that are copied it means nothing
  std::array<std::uint8_t, PositionSet::kLimit> copied_from{};  // byte of the key for each byte of `text`,
                                                                // or kLiteral
  RenameOutcome outcome;
  bool group_matched = false;  // a GroupWeightRename that is armed matched
};

class ShapeLearner {
 public:
  /// Borrows `trie`.
  explicit ShapeLearner(const TransformTrie& trie) : trie_(&trie), walk_(trie) {}

  /// `key`: at most kLongestShape bytes; `open`: positions of ASCII digits in it. `armed`: the groups that
  /// the run has armed; a shape that would arm another one is said to be exact. Throws nothing that depends
  /// on the key.
  LearnedShape learn(std::string_view key, const PositionSet& open, const ArmedSteps& armed);

 private:
  struct Pair;
  bool strip(Pair& pair, RenameOutcome& outcome);
  /// False if the shape cannot be had: then `pins` names the digits at fault, in positions of the text.
  bool try_step(std::uint32_t number, Pair& pair, const ArmedSteps& armed, LearnedShape& learned,
                PositionSet& pins);

  const TransformTrie* trie_;
  StepWalk walk_;
  std::string first_, second_;  // re-used to save allocations
};

}  // namespace keyshift
