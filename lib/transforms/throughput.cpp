#include "transforms/throughput.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

#include "base/error.h"
#include "transforms/check_against_plain.h"
#include "transforms/rename_run.h"

namespace keyshift {

namespace {

void check_answers(const TransformTrie& trie, std::span<const std::string_view> keys) {
  if (const auto difference = check_against_plain(trie, keys)) {
    throw Error(ErrorKind::rename_failed,
                *difference + "; nothing was timed; this is a fault of keyshift, please report it");
  }
}

// Keys a second, by the median of the passes' times.
template <class Pass>
double rate_of(std::size_t keys, std::size_t least_passes, double least_seconds, const Interrupt& interrupt,
               Pass pass) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> seconds;
  for (double sum = 0; seconds.size() < least_passes || sum < least_seconds; sum += seconds.back()) {
    interrupt.check();
    const Clock::time_point start = Clock::now();
    pass();
    seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
  }
  const auto middle = seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2);
  std::nth_element(seconds.begin(), middle, seconds.end());
  return static_cast<double>(keys) / std::max(*middle, 1e-9);
}

// As the transforms need them: groups wait for keys in dot-natural order.
std::vector<std::string_view> in_running_order(const Renaming& renaming,
                                               std::span<const std::string_view> keys) {
  std::vector<std::string_view> ordered(keys.begin(), keys.end());
  if (renaming.is_stateful()) std::stable_sort(ordered.begin(), ordered.end(), dot_natural_less);
  return ordered;
}

}  // namespace

KeyBlock::KeyBlock(std::span<const std::string_view> keys) {
  for (const std::string_view key : keys) text_ += key;
  keys_.reserve(keys.size());
  std::size_t at = 0;
  for (const std::string_view key : keys) {
    keys_.push_back(std::string_view(text_).substr(at, key.size()));
    at += key.size();
  }
}

std::vector<std::string_view> shuffled(std::span<const std::string_view> keys) {
  constexpr std::uint64_t kSeed = 20'240'917;
  std::mt19937_64 random(kSeed);
  std::vector<std::string_view> out(keys.begin(), keys.end());
  for (std::size_t i = out.size(); i > 1; --i) std::swap(out[i - 1], out[random() % i]);
  return out;
}

std::size_t first_pass(const TransformTrie& trie, const ShapeKernel& kernel,
                       std::span<const std::string_view> keys, RenamedKeys& renamed) {
  RenameRun run(trie, kernel);
  run.rename(keys, renamed);
  return run.shapes();
}

Throughput measure_throughput(const TransformTrie& trie, std::span<const std::string_view> keys,
                              double least_seconds, const Interrupt& interrupt) {
  constexpr std::size_t kPasses = 5;
  const KeyBlock in_order(keys), out_of_order(shuffled(keys));
  check_answers(trie, in_order.keys());
  interrupt.check();
  check_answers(trie, out_of_order.keys());

  Throughput result;
  result.keys = keys.size();
  RenamedKeys renamed;
  const auto rate_of_trie = [&](const KeyBlock& block) {
    return rate_of(keys.size(), kPasses, least_seconds, interrupt, [&] {
      renamed.clear();
      result.shapes = first_pass(trie, best_kernel(), block.keys(), renamed);
    });
  };
  result.trie = rate_of_trie(in_order);
  result.shuffled = rate_of_trie(out_of_order);
  const KeyBlock ordered(in_running_order(trie.renaming(), keys));
  std::size_t bytes = 0;  // of new keys, so that none is made in vain
  result.rule_by_rule = rate_of(keys.size(), 1, least_seconds, interrupt, [&] {
    PlainRun run(trie.renaming());
    for (const std::string_view key : ordered.keys()) bytes += run.rename(key).size();
  });
  if (renamed.text().empty() ? bytes != 0 : bytes % renamed.text().size() != 0)
    throw Error(ErrorKind::rename_failed, "the passes differ; this is a fault of keyshift, please report it");
  return result;
}

}  // namespace keyshift
