#include "compare/rename_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "compare/name_alignment.h"
#include "compare/rename_candidates.h"
#include "transforms/rename_run.h"

namespace keyshift {

namespace {

constexpr std::size_t kMostTransforms = 400;
constexpr std::size_t kMostOpen = 64;     // shapes that are asked for candidates, each time
constexpr std::size_t kMostNames = 2000;  // looked at, of tables that have more shapes
constexpr std::size_t kMostParked = 16;   // names put aside, so that two may swap
constexpr int kRounds = 6;
constexpr std::string_view kParked = "__parked";

std::string folded(std::string_view name, std::vector<std::string_view>& numbers) {
  std::string out;
  for (const std::string_view part : split_name(name)) {
    if (is_number(part)) numbers.push_back(part);
    out += is_number(part) ? "#" : part;
    out += '.';
  }
  return out;
}

// Pairs that differ only in numbers, carried over or moved by the same amounts, have the same text.
std::string shape_of(std::string_view from, std::string_view to) {
  constexpr std::size_t kDigits = 18;
  std::vector<std::string_view> before, after;
  std::string shape = folded(from, before) + '\n' + folded(to, after);
  bool alike = before.size() == after.size();
  for (std::size_t i = 0; alike && i < before.size(); ++i) {
    if (before[i] == after[i]) continue;
    alike = before[i].size() <= kDigits && after[i].size() <= kDigits;
    if (alike) shape += fmt::format("\n{}:{}", i, number_of(after[i]) - number_of(before[i]));
  }
  return alike ? shape : std::string(from) + '\n' + std::string(to);
}

struct Name {
  std::string now;
  const std::string* to;
  std::size_t distance;
  double weight;  // names of one shape count as one
  bool done() const { return distance == 0; }
};

// What a candidate would do.
struct Effect {
  double gain = 0;
  std::vector<std::pair<std::size_t, std::string>> changes;
  bool collides = false;
};

class Search {
 public:
  // `looks`: how many more times a name may be looked at; `shifts`: whether numbers may be moved as a whole.
  Search(const std::vector<NamePair>& pairs, const std::vector<std::size_t>& chosen, bool shifts,
         std::uint64_t& looks, const Interrupt& interrupt)
      : interrupt_(interrupt), shifts_(shifts), looks_(looks) {
    std::map<std::string, std::size_t> shapes;
    for (const std::size_t i : chosen) shapes[shape_of(pairs[i].from, pairs[i].to)] += 1;
    for (const std::size_t i : chosen) {
      const NamePair& pair = pairs[i];
      names_.push_back({pair.from, &pair.to, name_distance(pair.from, pair.to),
                        1.0 / static_cast<double>(shapes[shape_of(pair.from, pair.to)])});
      live_.insert(pair.from);
    }
  }

  std::vector<Transform> run() {
    std::size_t parked = 0;
    while (steps_.size() < kMostTransforms && looks_ > 0 && !all_done()) {
      interrupt_.check();
      if (take_best_of_all()) continue;
      if (parked++ == kMostParked || !park_one()) break;
    }
    return std::move(steps_);
  }

 private:
  bool all_done() const {
    return std::all_of(names_.begin(), names_.end(), [](const Name& name) { return name.done(); });
  }
  std::vector<RenameCandidate> candidates() const;
  void add_prefix_candidates(std::vector<RenameCandidate>& all) const;
  std::optional<Effect> effect_of(const RenameCandidate& candidate, bool allow_collision) const;
  bool take_best_of_all();
  bool take_best();
  bool park_one();
  void take(const Transform& transform, Effect effect);

  const Interrupt& interrupt_;
  bool shifts_;
  std::uint64_t& looks_;
  std::vector<Name> names_;
  std::unordered_set<std::string> live_;  // what the names are now: no two may become one
  std::vector<Transform> steps_;
  std::size_t first_ = 0;  // of names_, where candidates are looked for first
};

std::vector<RenameCandidate> Search::candidates() const {
  std::vector<RenameCandidate> all;
  std::set<std::string> shapes;
  for (std::size_t i = 0; i < names_.size() && shapes.size() < kMostOpen; ++i) {
    const Name& name = names_[(first_ + i) % names_.size()];
    if (name.done()) continue;
    if (shapes.insert(shape_of(name.now, *name.to)).second) add_candidates(name.now, *name.to, all);
  }
  add_prefix_candidates(all);
  if (!shifts_) {
    std::erase_if(all, [](const RenameCandidate& candidate) {
      return candidate.transform.type == TransformType::Inkling2IndexOffsetWeightRename;
    });
  }
  const auto text = [](const RenameCandidate& c) {
    const Transform& t = c.transform;
    return t.source_patterns.empty()
               ? std::pair(t.prefix_to_add.value_or(""), t.prefix_to_remove.value_or(""))
               : std::pair(t.source_patterns[0], t.target_patterns[0]);
  };
  std::stable_sort(all.begin(), all.end(), [&](const RenameCandidate& a, const RenameCandidate& b) {
    return std::tuple(a.cost, a.transform.type, a.transform.offset, text(a)) <
           std::tuple(b.cost, b.transform.type, b.transform.offset, text(b));
  });
  const auto end =
      std::unique(all.begin(), all.end(), [&](const RenameCandidate& a, const RenameCandidate& b) {
        return a.transform.type == b.transform.type && a.transform.offset == b.transform.offset &&
               text(a) == text(b);
      });
  all.erase(end, all.end());
  return all;
}

// A prefix for all names but those that begin otherwise.
void Search::add_prefix_candidates(std::vector<RenameCandidate>& all) const {
  constexpr std::size_t kMostHeads = 12;
  const auto head = [](std::string_view name) { return std::string(name.substr(0, name.find('.'))); };
  std::set<std::string> prefixes;
  for (const Name& name : names_) {
    const std::size_t cut = name.to->size() - std::min(name.to->size(), name.now.size());
    if (cut > 1 && name.to->ends_with("." + name.now)) prefixes.insert(name.to->substr(0, cut - 1));
  }
  for (const std::string& prefix : prefixes) {
    std::set<std::string> others;
    for (const Name& name : names_)
      if (*name.to != prefix + "." + name.now)
        others.insert(head(name.now) + (name.now.find('.') == std::string::npos ? "" : "."));
    if (others.size() > kMostHeads) continue;
    all.push_back(prefix_candidate(prefix, {others.begin(), others.end()}));
  }
}

std::optional<Effect> Search::effect_of(const RenameCandidate& candidate, bool allow_collision) const {
  std::optional<Renaming> renaming;
  std::optional<PlainRun> run;
  Effect effect;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const Name& name = names_[i];
    if (!candidate.needle.empty() && name.now.find(candidate.needle) == std::string::npos) continue;
    try {
      if (!renaming) {
        renaming.emplace(TransformList{{candidate.transform}, {}, {}, {}, {}}, RenamingOptions());
        run.emplace(*renaming);
      }
      std::string after = run->rename(name.now);
      if (after == name.now) continue;
      const std::size_t distance = name_distance(after, *name.to);
      if (distance >= name.distance) return std::nullopt;
      effect.gain += name.weight * static_cast<double>(name.distance - distance);
      effect.changes.emplace_back(i, std::move(after));
    } catch (const Error&) {
      return std::nullopt;  // names that hold what no pattern can say
    }
  }
  std::unordered_set<std::string_view> results, gone;
  for (const auto& [i, after] : effect.changes) gone.insert(names_[i].now);
  for (const auto& [i, after] : effect.changes) {
    if ((live_.contains(after) && !gone.contains(after)) || !results.insert(after).second)
      effect.collides = true;
  }
  if (effect.changes.empty() || (effect.collides && !allow_collision)) return std::nullopt;
  return effect;
}

void Search::take(const Transform& transform, Effect effect) {
  for (const auto& [i, after] : effect.changes) live_.erase(names_[i].now);
  for (auto& [i, after] : effect.changes) {
    names_[i].now = std::move(after);
    names_[i].distance = name_distance(names_[i].now, *names_[i].to);
    live_.insert(names_[i].now);
  }
  steps_.push_back(transform);
}

// A few shapes are asked for candidates at a time; others only if these have none that does.
bool Search::take_best_of_all() {
  for (std::size_t tried = 0; tried < names_.size(); tried += kMostOpen) {
    if (take_best()) return true;
    first_ = (first_ + kMostOpen) % names_.size();
  }
  return false;
}

bool Search::take_best() {
  std::optional<Effect> best;
  const Transform* chosen = nullptr;
  const std::vector<RenameCandidate> all = candidates();
  for (const RenameCandidate& candidate : all) {  // the cheaper ones first
    interrupt_.check();
    looks_ -= std::min<std::uint64_t>(looks_, names_.size());
    std::optional<Effect> effect = effect_of(candidate, false);
    if (!effect || (best && effect->gain <= best->gain)) continue;
    best = std::move(effect);
    chosen = &candidate.transform;
  }
  if (!best) return false;
  take(*chosen, std::move(*best));
  return true;
}

// Two names that want each other's place: one goes aside first.
bool Search::park_one() {
  std::optional<Effect> best;
  std::optional<Transform> chosen;
  for (const RenameCandidate& candidate : candidates()) {
    interrupt_.check();
    looks_ -= std::min<std::uint64_t>(looks_, names_.size());
    if (candidate.transform.target_patterns.empty()) continue;
    const std::optional<Effect> would = effect_of(candidate, true);
    if (!would || (best && would->gain <= best->gain)) continue;
    Transform aside = candidate.transform;
    aside.target_patterns[0] += kParked;
    const Renaming renaming(TransformList{{aside}, {}, {}, {}, {}}, RenamingOptions());
    PlainRun run(renaming);
    Effect effect{would->gain, {}, false};
    for (const auto& [i, after] : would->changes) effect.changes.emplace_back(i, run.rename(names_[i].now));
    best = std::move(effect);
    chosen = std::move(aside);
  }
  if (!best) return false;
  take(*chosen, std::move(*best));
  return true;
}

bool explains(const std::vector<Transform>& steps, const std::vector<NamePair>& pairs,
              const std::vector<std::size_t>& chosen) {
  const Renaming renaming(TransformList{steps, {}, {}, {}, {}}, RenamingOptions());
  PlainRun run(renaming);
  return std::all_of(chosen.begin(), chosen.end(),
                     [&](std::size_t i) { return run.rename(pairs[i].from) == pairs[i].to; });
}

// Takes away what later renamings made superfluous.
void prune(std::vector<Transform>& steps, const std::vector<NamePair>& pairs,
           const std::vector<std::size_t>& chosen) {
  constexpr std::size_t kMost = 100;
  if (steps.size() > kMost || !explains(steps, pairs, chosen)) return;
  for (std::size_t i = steps.size(); i-- > 0;) {
    std::vector<Transform> fewer = steps;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
    if (explains(fewer, pairs, chosen)) steps = std::move(fewer);
  }
}

}  // namespace

std::vector<std::string> apply_renamings(const TransformList& list, const std::vector<NamePair>& pairs) {
  const TransformTrie trie(std::make_shared<const Renaming>(list, RenamingOptions()));
  RenameRun run(trie);
  std::vector<std::string_view> keys;
  for (const NamePair& pair : pairs) keys.push_back(pair.from);
  RenamedKeys renamed;
  run.rename(keys, renamed);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < keys.size(); ++i) names.emplace_back(renamed[i]);
  return names;
}

TransformList search_renamings(const std::vector<NamePair>& pairs, const Interrupt& interrupt,
                               std::uint64_t looks) {
  std::map<std::string, std::pair<std::size_t, std::size_t>> shapes;  // the first and the last of each
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const auto [entry, is_new] = shapes.emplace(shape_of(pairs[i].from, pairs[i].to), std::pair(i, i));
    if (!is_new) entry->second.second = i;
  }
  std::set<std::size_t> chosen;
  const std::size_t stride = 2 * shapes.size() / kMostNames + 1;
  std::size_t turn = 0;
  for (const auto& [shape, ends] : shapes)
    if (turn++ % stride == 0) chosen.insert({ends.first, ends.second});

  TransformList best;
  std::size_t fewest_wrong = pairs.size() + 1;
  for (int round = 0; round < kRounds && fewest_wrong > 0; ++round) {
    const std::vector<std::size_t> looked_at(chosen.begin(), chosen.end());
    const bool shifts = round % 2 == 0;
    TransformList list;
    list.transforms = Search(pairs, looked_at, shifts, looks, interrupt).run();
    prune(list.transforms, pairs, looked_at);
    const std::vector<std::string> names = apply_renamings(list, pairs);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      if (names[i] == pairs[i].to) continue;
      constexpr std::size_t kMore = 64;  // looked at singly the next time
      if (wrong++ < kMore) chosen.insert(i);
    }
    if (wrong < fewest_wrong) {
      fewest_wrong = wrong;
      best = std::move(list);
    }
    if (looks == 0 || (chosen.size() == looked_at.size() && !shifts)) break;
  }
  return best;
}

}  // namespace keyshift
