#include "transforms/renaming.h"

namespace keyshift {

PlainRun::PlainRun(const Renaming& renaming)
    : renaming_(&renaming),
      used_(renaming.transform_count()),
      armed_(std::make_unique<bool[]>(renaming.renamings().size())) {}

namespace {

RenameStep traced(const Renaming::Step& step, std::string before, std::string after, const Applied& applied) {
  const std::string_view type = name(step.transform.transform().type);
  return {step.index, std::string(type), std::move(before), std::move(after), applied, true};
}

}  // namespace

// A group that waits for its guard has matched nothing; whoever wants to know each step is told of it.
void PlainRun::trace_unarmed(const Renaming::Step& step, const std::string& key, Trace trace) {
  std::string after = key;
  bool armed = true;
  try {
    const auto applied = step.transform.apply(after, armed);
    if (!applied) return;
    trace.steps->push_back(traced(step, key, std::move(after), *applied));
    trace.steps->back().armed = false;
  } catch (const Error& error) {
    // What it would fail at does not happen.
    if (error.kind() != ErrorKind::rename_failed) throw;
  }
}

bool PlainRun::apply(const Renaming::Step& step, bool& armed, std::string& key, Trace trace) {
  if (trace.outcome->dropped) return false;
  std::string before;
  if (trace.steps != nullptr) before = key;
  const auto applied = step.transform.apply(key, armed);
  if (!applied) {
    if (trace.steps != nullptr && step.transform.is_stateful() && !armed) trace_unarmed(step, key, trace);
    return false;
  }
  used_[step.index] = true;
  trace.outcome->transforms.push_back(step.index);
  trace.outcome->dropped = applied->dropped;
  if (step.transform.is_converter()) {
    trace.outcome->converter = step.transform.source_patterns()[applied->source];
  }
  if (trace.steps != nullptr) trace.steps->push_back(traced(step, std::move(before), key, *applied));
  return true;
}

void PlainRun::apply_renamings(std::string& key, Trace trace) {
  const auto& steps = renaming_->renamings();
  for (std::size_t i = 0; i < steps.size(); ++i) apply(steps[i], armed_[i], key, trace);
}

void PlainRun::apply_converters(std::string& key, Trace trace) {
  for (const auto& step : renaming_->converters()) {
    bool armed = false;
    if (apply(step, armed, key, trace)) return;
  }
}

void PlainRun::adjust_base_prefix(std::string& key, Trace trace) {
  std::string before;
  if (trace.steps != nullptr) before = key;
  const bool changed = renaming_->adjust_base_prefix(key);
  trace.outcome->base_prefix_changed = changed;
  if (changed && trace.steps != nullptr) {
    trace.steps->push_back({std::nullopt, "base model prefix", std::move(before), key, {}, true});
  }
}

// What the loader does because it knows the model's keys (T15).
void PlainRun::apply_loader_steps(const std::string& original, std::string& key, Trace trace) {
  const TargetKeys& target = *renaming_->options().target;
  adjust_base_prefix(key, trace);
  if (target.contains(key) || !target.contains(original)) return;
  if (trace.steps != nullptr) trace.steps->push_back({std::nullopt, "second try", key, original, {}, true});
  key = original;
  trace.outcome->second_try = true;
  trace.outcome->converter.reset();
  adjust_base_prefix(key, trace);
}

std::string PlainRun::strip(std::string_view key, Trace trace) const {
  std::string stripped = strip_wrappers(key);
  if (stripped.size() == key.size()) return stripped;
  trace.outcome->stripped_wrappers = true;
  if (trace.steps != nullptr) {
    trace.steps->push_back({std::nullopt, "strip wrappers", std::string(key), stripped, {}, true});
  }
  return stripped;
}

std::string PlainRun::rename(std::string_view key, RenameOutcome* outcome, std::vector<RenameStep>* steps) {
  RenameOutcome mine;
  if (outcome == nullptr) outcome = &mine;
  *outcome = RenameOutcome();
  const Trace trace{outcome, steps};
  const RenamingOptions& options = renaming_->options();
  std::string renamed = options.strip_wrappers ? strip(key, trace) : std::string(key);
  try {
    if (options.direction == Direction::save) {
      apply_converters(renamed, trace);
      apply_renamings(renamed, trace);
    } else {
      const std::string original = options.target ? renamed : "";
      apply_renamings(renamed, trace);
      apply_converters(renamed, trace);
      if (options.target && !outcome->dropped) apply_loader_steps(original, renamed, trace);
    }
  } catch (Error& error) {
    throw std::move(error).for_key(key);
  }
  return renamed;
}

}  // namespace keyshift
