#include "transforms/check_against_plain.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/error.h"
#include "transforms/rename_run.h"

namespace keyshift {
namespace {

std::string in_words(std::string_view key, const RenameOutcome& outcome) {
  std::string text = quote(key) + " by transforms [";
  for (std::size_t i = 0; i < outcome.transforms.size(); ++i) {
    if (i != 0) text += ", ";
    text += std::to_string(outcome.transforms[i]);
  }
  text += "]";
  if (outcome.converter) text += ", converter " + quote(*outcome.converter);
  if (outcome.stripped_wrappers) text += ", wrappers stripped";
  if (outcome.base_prefix_changed) text += ", base model prefix changed";
  if (outcome.second_try) text += ", second try";
  if (outcome.dropped) text += ", dropped";
  return text;
}

/// The order in which PlainRun must see the keys.
std::vector<std::size_t> running_order(const Renaming& renaming, std::span<const std::string_view> keys) {
  std::vector<std::size_t> order(keys.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (renaming.is_stateful()) {
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return dot_natural_less(keys[a], keys[b]); });
  }
  return order;
}

}  // namespace

std::optional<std::string> check_against_plain(const TransformTrie& trie,
                                               std::span<const std::string_view> keys) {
  return check_against_plain(trie, keys, best_kernel());
}

std::optional<std::string> check_against_plain(const TransformTrie& trie,
                                               std::span<const std::string_view> keys,
                                               const ShapeKernel& kernel) {
  RenameRun run(trie, kernel);
  RenamedKeys renamed;
  std::optional<std::string> failure;  // of the trie
  try {
    run.rename(keys, renamed);
  } catch (const Error& error) {
    failure = error.what();
  }

  PlainRun plain(trie.renaming());
  RenameOutcome outcome;
  for (const std::size_t i : running_order(trie.renaming(), keys)) {
    std::string expected;
    try {
      expected = plain.rename(keys[i], &outcome);
    } catch (const Error& error) {
      if (failure == std::string(error.what())) throw;
      return "key " + quote(keys[i]) + ": one by one fails: " + error.what() + "; the trie " +
             (failure ? "fails otherwise: " + *failure : std::string("does not"));
    }
    if (failure) continue;
    if (renamed[i] != expected || !(renamed.outcome(i) == outcome)) {
      return "key " + quote(keys[i]) + ": the trie makes it " + in_words(renamed[i], renamed.outcome(i)) +
             "; one by one it is " + in_words(expected, outcome);
    }
  }
  if (failure) return "the trie fails and one by one does not: " + *failure;
  if (run.used() != plain.used()) return std::string("used-flags differ after all keys");
  return std::nullopt;
}

}  // namespace keyshift
