#include "transforms/lint_runs.h"

#include <algorithm>
#include <numeric>

namespace keyshift {

namespace {

// The order in which a run takes its keys: as they come, or as stateful transforms want them.
template <class Keys, class KeyOf>
std::vector<std::size_t> running_order(const Renaming& renaming, const Keys& keys, KeyOf key_of) {
  std::vector<std::size_t> order(keys.size());
  std::iota(order.begin(), order.end(), 0U);
  if (renaming.is_stateful()) {
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return dot_natural_less(key_of(keys[a]), key_of(keys[b]));
    });
  }
  return order;
}

// A replacement that fails is a finding; everything else ends the run.
template <class Work>
void catch_failure(LintedKey& key, Work work) {
  try {
    work();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::rename_failed) throw;
    key.to.clear();
    key.failure = error.message();
  }
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

// What \1 stood for, told from the pattern and what was made of it.
std::string group_text(std::string_view pattern, std::string_view made) {
  const std::size_t at = pattern.find("\\1");
  if (at == std::string_view::npos || made.size() + 2 < pattern.size()) return {};
  return std::string(made.substr(at, made.size() - (pattern.size() - 2)));
}

// The names of the tensors that a converter makes of one: each of its targets in the place of the first,
// whose text in `name` is `first`, with a number for the star.
std::vector<std::string> split_names(const CompiledTransform& converter, const std::string& name,
                                     const std::string& first, const std::vector<std::string>& numbers) {
  const std::size_t at = name.find(first);
  if (at == std::string::npos) return {name};
  const std::string prefix = name.substr(0, at), suffix = name.substr(at + first.size());
  const std::vector<std::string>& targets = converter.target_patterns();
  const std::string group = group_text(targets.front(), first);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    std::string target = i == 0 ? first : targets[i];
    if (i > 0) replace_all(target, "\\1", group);
    if (target.find('*') == std::string::npos) {
      out.push_back(prefix + target + suffix);
      continue;
    }
    for (const std::string& number : numbers) {
      std::string numbered = target;
      replace_all(numbered, "*", number);
      out.push_back(prefix + numbered + suffix);
    }
  }
  return out;
}

// As a save goes: first the converters, and all renamings once these are through.
class SaveRun {
 public:
  explicit SaveRun(const Renaming& renaming) : renaming_(renaming), armed_(renaming.renamings().size()) {}

  bool convert(const ModelKey& model, LintedKey& key) const {
    for (const Renaming::Step& step : renaming_.converters()) {
      std::string renamed = model.key;
      bool armed = false;
      const auto applied = step.transform.apply(renamed, armed);
      if (!applied) continue;
      key.outcome.transforms.push_back(step.index);
      key.converter = step.index;
      key.outcome.converter = step.transform.source_patterns()[applied->source];
      key.to = split_names(step.transform, renamed,
                           renamed.substr(applied->replaced_at, applied->replacement_size), model.numbers);
      return true;
    }
    return false;
  }

  void rename(LintedKey& key) {
    for (std::string& name : key.to) rename(name, key.outcome.transforms);
  }

 private:
  void rename(std::string& name, std::vector<std::uint32_t>& matched) {
    const auto& steps = renaming_.renamings();
    for (std::size_t i = 0; i < steps.size(); ++i) {
      bool armed = armed_[i];
      const bool done = steps[i].transform.apply(name, armed).has_value();
      armed_[i] = armed;
      if (done && std::find(matched.begin(), matched.end(), steps[i].index) == matched.end()) {
        matched.push_back(steps[i].index);
      }
    }
  }

  const Renaming& renaming_;
  std::vector<bool> armed_;
};

// What fired on load: the name before it, and the names of all that comes of it.
void note_converter(const Renaming& renaming, const std::vector<RenameStep>& steps, LintedKey& key) {
  const auto fired = std::find_if(steps.begin(), steps.end(),
                                  [](const RenameStep& step) { return step.what == "WeightConverter"; });
  if (fired == steps.end()) return;
  key.converter = fired->transform;
  key.before_converter = fired->before;
  for (const Renaming::Step& step : renaming.converters()) {
    if (step.index != fired->transform) continue;
    const Applied& applied = fired->applied;
    key.to = split_names(step.transform, key.to.front(),
                         fired->after.substr(applied.replaced_at, applied.replacement_size), {"0", "1"});
  }
}

}  // namespace

std::vector<LintedKey> run_load(const Renaming& renaming, std::vector<std::string> keys,
                                const Interrupt& interrupt) {
  std::vector<LintedKey> out(keys.size());
  PlainRun run(renaming);
  std::vector<RenameStep> steps;
  const bool traced = !renaming.converters().empty();
  for (const std::size_t i :
       running_order(renaming, keys, [](const auto& key) { return std::string_view(key); })) {
    interrupt.check();
    LintedKey& key = out[i];
    key.from = std::move(keys[i]);
    steps.clear();
    catch_failure(key, [&] { key.to = {run.rename(key.from, &key.outcome, traced ? &steps : nullptr)}; });
    if (key.outcome.dropped) key.to.clear();
    if (key.outcome.converter && !key.to.empty()) note_converter(renaming, steps, key);
  }
  return out;
}

std::vector<LintedKey> run_save(const Renaming& renaming, std::vector<ModelKey> keys,
                                const Interrupt& interrupt) {
  std::vector<LintedKey> out(keys.size());
  std::vector<std::size_t> converted;
  SaveRun run(renaming);
  for (const std::size_t i :
       running_order(renaming, keys, [](const ModelKey& key) { return std::string_view(key.key); })) {
    interrupt.check();
    out[i].from = keys[i].key;
    catch_failure(out[i], [&] {
      if (run.convert(keys[i], out[i])) {
        converted.push_back(i);
      } else {
        out[i].to = {out[i].from};
        run.rename(out[i]);
      }
    });
  }
  for (const std::size_t i : converted) catch_failure(out[i], [&] { run.rename(out[i]); });
  return out;
}

std::vector<std::string> numeric_parts(std::string_view key) {
  std::vector<std::string> out;
  for (std::size_t begin = 0; begin <= key.size();) {
    const std::size_t end = std::min(key.find('.', begin), key.size());
    const std::string_view part = key.substr(begin, end - begin);
    const bool is_number = !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
    if (is_number && std::find(out.begin(), out.end(), part) == out.end()) out.emplace_back(part);
    begin = end + 1;
  }
  return out;
}

}  // namespace keyshift
