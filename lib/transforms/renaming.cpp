#include "transforms/renaming.h"

#include <fmt/format.h>

#include <algorithm>

namespace keyshift {

namespace {

bool is_reversed(const UsedTransforms& used, const Transform& transform, std::size_t index) {
  switch (used.which) {
    case UsedTransforms::Which::all:
      return true;
    case UsedTransforms::Which::fresh:
      return transform.type != TransformType::PrefixChange;
    case UsedTransforms::Which::flagged:
      return used.flags[index];
  }
  return false;
}

CompiledTransform compile_reversed(const Transform& transform) {
  try {
    return CompiledTransform(reversed(transform));
  } catch (const Error& error) {
    throw Error(ErrorKind::transform_invalid, fmt::format("this {} cannot be reversed for saving: {}",
                                                          name(transform.type), error.message()))
        .in(transform.place);
  }
}

void check_options(const RenamingOptions& options, std::size_t transforms) {
  if (options.direction == Direction::load) return;
  if (options.strip_wrappers) {
    throw Error(ErrorKind::usage, "wrapper names can only be stripped on load; a save cannot put them back");
  }
  if (options.used.which == UsedTransforms::Which::flagged && options.used.flags.size() != transforms) {
    throw Error(ErrorKind::usage, fmt::format("{} used-flags were given for {} transforms",
                                              options.used.flags.size(), transforms));
  }
}

// The prefix goes into the pattern as it is, and the dot behind it is any character: so does the loader.
std::shared_ptr<const Pattern> compile_base_prefix(const std::string& prefix) {
  try {
    return std::make_shared<const Pattern>("^" + prefix + ".");
  } catch (const Error& error) {
    throw Error(ErrorKind::pattern_invalid,
                fmt::format("the base_model_prefix {} is no pattern: {}", quote(prefix), error.message()));
  }
}

}  // namespace

Renaming::Renaming(const TransformList& list, RenamingOptions options)
    : options_(std::move(options)),
      base_model_prefix_(list.base_model_prefix),
      transform_count_(list.transforms.size()) {
  check_options(options_, transform_count_);
  const bool load = options_.direction == Direction::load;
  for (std::size_t i = 0; i < transform_count_; ++i) {
    const std::size_t index = load ? i : transform_count_ - 1 - i;
    const Transform& transform = list.transforms[index];
    if (!load && !is_reversed(options_.used, transform, index)) continue;
    auto& steps = transform.type == TransformType::WeightConverter ? converters_ : renamings_;
    steps.push_back({load ? CompiledTransform(transform) : compile_reversed(transform),
                     static_cast<std::uint32_t>(index)});
  }
  if (load && options_.target && base_model_prefix_)
    base_prefix_pattern_ = compile_base_prefix(*base_model_prefix_);
}

bool Renaming::is_stateful() const noexcept {
  return std::any_of(renamings_.begin(), renamings_.end(),
                     [](const Step& step) { return step.transform.is_stateful(); });
}

bool Renaming::adjust_base_prefix(std::string& key) const {
  if (!base_prefix_pattern_) return false;
  if (key.starts_with(*base_model_prefix_)) {
    thread_local Match match;
    std::string shorter = key;
    if (base_prefix_pattern_->search(key, match)) shorter.erase(match.span().begin, match.span().size());
    if (options_.target->contains(shorter)) {
      const bool changed = shorter != key;
      key = std::move(shorter);
      return changed;
    }
  }
  std::string longer = *base_model_prefix_ + "." + key;
  if (!options_.target->contains(longer)) return false;
  key = std::move(longer);
  return true;
}

}  // namespace keyshift
