#include "transforms/lint_order.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <unordered_map>

namespace keyshift {

namespace {

constexpr int kKeysOfAShape = 2;

std::string shape_of(std::string_view key) {
  std::string out;
  for (std::size_t begin = 0; begin <= key.size();) {
    const std::size_t end = std::min(key.find('.', begin), key.size());
    const std::string_view part = key.substr(begin, end - begin);
    const bool is_number = !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
    out += is_number ? std::string_view("#") : part;
    out += '.';
    begin = end + 1;
  }
  return out;
}

// What each step makes of one key, of those that change it.
struct Changes {
  std::vector<std::size_t> steps;  // ascending
  std::vector<std::string> results;

  const std::string* of(std::size_t step) const {
    const auto at = std::lower_bound(steps.begin(), steps.end(), step);
    if (at == steps.end() || *at != step) return nullptr;
    return &results[static_cast<std::size_t>(at - steps.begin())];
  }
};

// One list of steps that run one after another. Few of them change a key, and these are looked for once.
class Steps {
 public:
  explicit Steps(const std::vector<Renaming::Step>& steps) : steps_(steps) {}

  std::size_t size() const { return steps_.size(); }
  std::uint32_t index(std::size_t i) const { return steps_[i].index; }
  void forget() { known_.clear(); }

  const Changes& changes(const std::string& key) {
    const auto [at, is_new] = known_.try_emplace(key);
    if (!is_new) return at->second;
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      std::string made = made_by(i, key);
      if (made == key) continue;
      at->second.steps.push_back(i);
      at->second.results.push_back(std::move(made));
    }
    return at->second;
  }

  const std::string& apply(std::size_t i, const std::string& key) {
    const std::string* made = changes(key).of(i);
    return made == nullptr ? key : *made;
  }

 private:
  // A group is taken as armed; where a replacement fails, nothing is changed.
  std::string made_by(std::size_t i, std::string key) const {
    bool armed = true;
    try {
      steps_[i].transform.apply(key, armed);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::rename_failed) throw;
    }
    return key;
  }

  const std::vector<Renaming::Step>& steps_;
  std::unordered_map<std::string, Changes> known_;
};

using Pairs = std::map<std::pair<std::size_t, std::size_t>, OrderPair>;

void note(Pairs& pairs, const Steps& steps, std::size_t i, std::size_t j, OrderPair shown) {
  OrderPair& pair = pairs[{i, j}];
  if (pair.count++ > 0) return;
  shown.first = steps.index(i);
  shown.second = steps.index(j);
  shown.count = 1;
  pair = std::move(shown);
}

// Which of the steps behind i could make a difference: those that change the key before or after i.
std::vector<std::size_t> candidates(const Changes& before, const Changes& after, std::size_t i) {
  std::vector<std::size_t> out;
  std::set_union(std::upper_bound(before.steps.begin(), before.steps.end(), i), before.steps.end(),
                 std::upper_bound(after.steps.begin(), after.steps.end(), i), after.steps.end(),
                 std::back_inserter(out));
  return out;
}

// Renamings i before j, at the key as it comes to i.
void compare_renamings(Steps& steps, std::string& key, Pairs& pairs) {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const std::string before = key;
    key = steps.apply(i, before);
    for (const std::size_t j : candidates(steps.changes(before), steps.changes(key), i)) {
      const std::string& in_order = steps.apply(j, key);
      const std::string& reversed = steps.apply(i, steps.apply(j, before));
      if (in_order != reversed) note(pairs, steps, i, j, {0, 0, before, in_order, reversed, 0});
    }
  }
}

// Of two converters that match, the first fires.
void compare_converters(const std::vector<Renaming::Step>& converters, Steps& steps, const std::string& key,
                        Pairs& pairs) {
  std::vector<std::size_t> matching;
  Match match;
  for (std::size_t i = 0; i < converters.size(); ++i) {
    if (converters[i].transform.matches(key, match)) matching.push_back(i);
  }
  for (std::size_t a = 0; a < matching.size(); ++a) {
    for (std::size_t b = a + 1; b < matching.size(); ++b) {
      note(pairs, steps, matching[a], matching[b],
           {0, 0, key, steps.apply(matching[a], key), steps.apply(matching[b], key), 0});
    }
  }
}

}  // namespace

std::vector<OrderPair> find_order_pairs(const Renaming& renaming, std::span<const std::string_view> keys,
                                        const Interrupt& interrupt) {
  const bool load = renaming.options().direction == Direction::load;
  Steps renamings(renaming.renamings()), converters(renaming.converters());
  Pairs renaming_pairs, converter_pairs;
  std::unordered_map<std::string, int> seen;
  for (const std::string_view given : keys) {
    interrupt.check();
    if (seen[shape_of(given)]++ >= kKeysOfAShape) continue;
    std::string key = renaming.options().strip_wrappers ? strip_wrappers(given) : std::string(given);
    if (!load) {
      compare_converters(renaming.converters(), converters, key, converter_pairs);
      for (std::size_t i = 0; i < converters.size(); ++i) {
        const std::string& converted = converters.apply(i, key);
        if (converted == key) continue;
        key = converted;
        break;
      }
    }
    compare_renamings(renamings, key, renaming_pairs);
    if (load) compare_converters(renaming.converters(), converters, key, converter_pairs);
    renamings.forget();
    converters.forget();
  }
  std::vector<OrderPair> out;
  for (auto* pairs : {&renaming_pairs, &converter_pairs}) {
    for (auto& [place, pair] : *pairs) out.push_back(std::move(pair));
  }
  return out;
}

}  // namespace keyshift
