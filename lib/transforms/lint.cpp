#include "transforms/lint.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "transforms/lint_findings.h"
#include "transforms/lint_order.h"
#include "transforms/lint_runs.h"

namespace keyshift {

namespace {

using Keys = std::vector<std::string>;
using Numbers = std::vector<std::uint32_t>;

bool contains(const Keys& keys, const std::string& key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

Numbers both(Numbers a, const Numbers& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

class Lint {
 public:
  Lint(const LintSubject& subject, const Interrupt& interrupt) : subject_(subject), interrupt_(interrupt) {}

  std::vector<LintFinding> run() {
    const Renaming asked(subject_.transforms, subject_.renaming);
    if (load()) {
      lint_load(asked);
    } else {
      lint_save(asked);
    }
    for (const OrderPair& pair : find_order_pairs(asked, subject_.keys, interrupt_)) {
      findings_.add({LintKind::order_dependent,
                     {std::min(pair.first, pair.second), std::max(pair.first, pair.second)},
                     {pair.key, pair.in_order, pair.reversed},
                     pair.count,
                     "the two transforms the other way round give another key"});
    }
    return findings_.take();
  }

 private:
  bool load() const { return subject_.renaming.direction == Direction::load; }
  Keys given_keys() const {  // each once
    Keys out;
    std::unordered_set<std::string_view> seen;
    for (const std::string_view key : subject_.keys) {
      if (seen.insert(key).second) out.emplace_back(key);
    }
    return out;
  }
  const Transform& transform(std::uint32_t index) const { return subject_.transforms.transforms[index]; }

  void lint_load(const Renaming& renaming) {
    const std::vector<LintedKey> loaded = run_load(renaming, given_keys(), interrupt_);
    const std::vector<bool> used = check_run(loaded, renaming);
    lint_second_load(loaded, renaming);
    std::vector<ModelKey> model = model_keys(loaded);
    const auto receipt = save_with({UsedTransforms::Which::flagged, used});
    if (!receipt) return;
    const auto back = by_key(run_save(*receipt, model, interrupt_));
    for (const LintedKey& key : loaded) check_way_home(key, back);
    lint_without_receipt(loaded, std::move(model), back, used);
  }

  void lint_save(const Renaming& renaming) {
    Keys keys = given_keys();
    std::vector<ModelKey> model;
    for (const std::string& key : keys) model.push_back({key});
    const std::vector<LintedKey> saved = run_save(renaming, model, interrupt_);
    check_run(saved, renaming);
    const Renaming load(subject_.transforms, RenamingOptions());
    for (const LintedKey& key : run_load(load, std::move(keys), interrupt_)) {
      note_changed({}, key);
    }
    check_loaded_again(saved, load);
    if (subject_.renaming.used.which != UsedTransforms::Which::all) return;
    lint_without_receipt(saved, std::move(model), by_key(saved),
                         std::vector<bool>(subject_.transforms.transforms.size(), true));
  }

  // --- one run

  // What a run tells by itself; returns which transforms it used.
  std::vector<bool> check_run(const std::vector<LintedKey>& keys, const Renaming& renaming) {
    std::vector<bool> used(subject_.transforms.transforms.size());
    for (const LintedKey& key : keys) {
      for (const std::uint32_t index : key.outcome.transforms) used[index] = true;
      if (key.to.empty() && !key.outcome.dropped)
        findings_.add(LintKind::fails, key.outcome.transforms, {key.from}, key.failure);
      for (const std::string& to : key.to) {
        if (to == key.from || (!to.empty() && to != "__metadata__")) continue;
        findings_.add(LintKind::unwritable, key.outcome.transforms, {key.from, to},
                      to.empty() ? "a key would become nothing"
                                 : "a key would become \"__metadata__\", which the format keeps for itself");
      }
    }
    check_collisions(keys);
    if (subject_.keys_are_all) {
      for (std::uint32_t i = 0; i < used.size(); ++i) {
        const bool runs = load() || runs_on_save(i, renaming);
        if (!used[i] && runs) findings_.add(LintKind::unused, {i}, {}, "the transform matches no key");
      }
    }
    return used;
  }

  static bool runs_on_save(std::uint32_t index, const Renaming& renaming) {
    const auto is_it = [&](const Renaming::Step& step) { return step.index == index; };
    return std::any_of(renaming.renamings().begin(), renaming.renamings().end(), is_it) ||
           std::any_of(renaming.converters().begin(), renaming.converters().end(), is_it);
  }

  // A converter brings many keys to one on purpose; what it tells them apart by must differ.
  void check_collisions(const std::vector<LintedKey>& keys) {
    std::unordered_map<std::string_view, const LintedKey*> results, inputs;
    for (const LintedKey& key : keys) {
      for (const std::string& to : key.to) {
        const auto [at, is_new] = results.try_emplace(to, &key);
        const LintedKey& other = *at->second;
        const bool merged = key.converter && key.converter == other.converter;
        if (!is_new && !merged) note_collision(other, key, to);
      }
      if (!key.converter || !load()) continue;
      const auto [at, is_new] = inputs.try_emplace(key.before_converter, &key);
      if (!is_new) note_collision(*at->second, key, key.before_converter);
    }
  }

  void note_collision(const LintedKey& a, const LintedKey& b, const std::string& to) {
    findings_.add(LintKind::collision, both(a.outcome.transforms, b.outcome.transforms), {a.from, b.from, to},
                  "two keys become one");
  }

  // --- a second load

  void lint_second_load(const std::vector<LintedKey>& loaded, const Renaming& renaming) {
    std::unordered_map<std::string, const LintedKey*> origins;
    Keys names;
    for (const LintedKey& key : loaded) {
      for (const std::string& to : key.to) {
        if (origins.try_emplace(to, &key).second) names.push_back(to);
      }
    }
    for (const LintedKey& key : run_load(renaming, std::move(names), interrupt_)) {
      note_changed({origins.at(key.from)->from}, key);
    }
  }

  void note_changed(Keys shown, const LintedKey& key) {
    if (key.to.empty() || (key.to.front() == key.from && !key.outcome.converter)) return;
    shown.push_back(key.from);
    shown.push_back(key.to.front());
    findings_.add(LintKind::not_idempotent, key.outcome.transforms, std::move(shown),
                  "loading what was loaded already changes its keys");
  }

  // --- there and back

  // The way back with these used-flags; none if a transform has no reverse.
  std::optional<Renaming> save_with(UsedTransforms used) {
    if (goes_one_way()) return std::nullopt;
    RenamingOptions options;
    options.direction = Direction::save;
    options.used = std::move(used);
    try {
      return Renaming(subject_.transforms, options);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::transform_invalid) throw;
      findings_.add({LintKind::not_reversible, irreversible(), {}, 1, error.message()});
      return std::nullopt;
    }
  }

  // Mappings of other tools have no way back that could be wrong.
  bool goes_one_way() const {
    const auto& all = subject_.transforms.transforms;
    return std::any_of(all.begin(), all.end(),
                       [](const Transform& each) { return each.type == TransformType::KeyMapping; });
  }

  Numbers irreversible() const {
    Numbers out;
    for (std::uint32_t i = 0; i < subject_.transforms.transforms.size(); ++i) {
      try {
        CompiledTransform(reversed(transform(i)));
      } catch (const Error&) {
        out.push_back(i);
      }
    }
    return out;
  }

  static void add_numbers(Keys& numbers, const std::string& key) {
    for (std::string& number : numeric_parts(key)) {
      if (!contains(numbers, number)) numbers.push_back(std::move(number));
    }
  }

  // What the model's keys are, and which numbers stood in the names they came from.
  static std::vector<ModelKey> model_keys(const std::vector<LintedKey>& loaded) {
    std::vector<ModelKey> model;
    std::unordered_map<std::string, std::size_t> places;
    for (const LintedKey& key : loaded) {
      for (const std::string& to : key.to) {
        const auto [at, is_new] = places.try_emplace(to, model.size());
        if (is_new) model.push_back({to, {}});
        if (key.converter) add_numbers(model[at->second].numbers, key.from);
      }
    }
    return model;
  }

  using ByKey = std::unordered_map<std::string, LintedKey>;
  static ByKey by_key(const std::vector<LintedKey>& keys) {
    ByKey out;
    for (const LintedKey& key : keys) out.emplace(key.from, key);
    return out;
  }

  void check_way_home(const LintedKey& key, const ByKey& back) {
    if (key.to.empty()) return;
    const LintedKey& saved = back.at(key.to.front());
    if (contains(saved.to, key.from)) return;
    const Numbers transforms = both(key.outcome.transforms, saved.outcome.transforms);
    if (saved.to.empty()) {
      findings_.add(LintKind::not_reversible, transforms, {key.from, key.to.front()}, saved.failure);
      return;
    }
    findings_.add(LintKind::not_reversible, transforms, {key.from, key.to.front(), saved.to.front()},
                  "saving what was loaded gives other keys");
  }

  // The model's own keys are what its loader goes by; without them some lists load wrong.
  void check_loaded_again(const std::vector<LintedKey>& saved, const Renaming& plain) {
    Keys names;
    std::vector<const LintedKey*> origins;
    for (const LintedKey& key : saved) {
      for (const std::string& to : key.to) {
        names.push_back(to);
        origins.push_back(&key);
      }
    }
    const std::vector<LintedKey> again = run_load(plain, names, interrupt_);
    std::vector<std::size_t> astray;
    for (std::size_t i = 0; i < again.size(); ++i) {
      if (!contains(again[i].to, origins[i]->from)) astray.push_back(i);
    }
    if (astray.empty()) return;
    const std::vector<LintedKey> knowing = run_load(with_target(saved), std::move(names), interrupt_);
    for (const std::size_t i : astray) {
      const bool home = contains(knowing[i].to, origins[i]->from);
      note_astray(*origins[i], again[i], home ? LintKind::needs_target : LintKind::not_reversible);
    }
  }

  Renaming with_target(const std::vector<LintedKey>& model) const {
    auto target = std::make_shared<TargetKeys>();
    for (const LintedKey& key : model) target->keys.insert(key.from);
    RenamingOptions options;
    options.target = std::move(target);
    return Renaming(subject_.transforms, options);
  }

  void note_astray(const LintedKey& origin, const LintedKey& again, LintKind kind) {
    Keys shown = {origin.from, again.from};
    if (!again.to.empty()) shown.push_back(again.to.front());
    findings_.add(
        kind, both(origin.outcome.transforms, again.outcome.transforms), std::move(shown),
        kind == LintKind::needs_target
            ? "loading what was saved gives other keys, unless the loader knows the model's keys (--target)"
        : again.to.empty() ? again.failure
                           : "loading what was saved gives other keys");
  }

  // A PrefixChange is reversed only by who knows that the load used it.
  void lint_without_receipt(const std::vector<LintedKey>& keys, std::vector<ModelKey> model,
                            const ByKey& saved, const std::vector<bool>& used) {
    Numbers prefixes;
    for (std::uint32_t i = 0; i < used.size(); ++i) {
      if (used[i] && transform(i).type == TransformType::PrefixChange) prefixes.push_back(i);
    }
    if (prefixes.empty()) return;
    const auto fresh = save_with({UsedTransforms::Which::fresh, {}});
    if (!fresh) return;
    const ByKey without = by_key(run_save(*fresh, std::move(model), interrupt_));
    for (const LintedKey& key : keys) {
      if (key.to.empty()) continue;
      const std::string& name = load() ? key.to.front() : key.from;
      const LintedKey& with = saved.at(name);
      const LintedKey& other = without.at(name);
      if (with.to.empty() || other.to.empty() || with.to == other.to) continue;
      Numbers acting;
      for (const std::uint32_t i : with.outcome.transforms) {
        if (std::find(prefixes.begin(), prefixes.end(), i) != prefixes.end()) acting.push_back(i);
      }
      findings_.add(LintKind::needs_receipt, acting, {key.from, key.to.front(), other.to.front()},
                    "a save that does not know what the load used leaves the prefix as it is");
    }
  }

  const LintSubject& subject_;
  const Interrupt& interrupt_;
  LintFindings findings_;
};

}  // namespace

std::vector<LintFinding> lint_names(const LintSubject& subject, const Interrupt& interrupt) {
  return Lint(subject, interrupt).run();
}

}  // namespace keyshift
