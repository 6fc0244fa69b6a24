#include "transforms/compiled_transform.h"

#include <fmt/format.h>

#include "base/utf8.h"
#include "transforms/key_mapping.h"
#include "transforms/processed_patterns.h"
#include "transforms/python_integer.h"

namespace keyshift {

namespace {

[[noreturn]] void throw_fault(TransformFault fault, const std::string& place) {
  throw Error(fault.kind, std::move(fault.message)).in(place);
}

std::shared_ptr<const Pattern> compile(const ProcessedPatterns& patterns, const std::string& place) {
  try {
    return std::make_shared<const Pattern>(patterns.alternation);
  } catch (Error& error) {
    // The alternation is ours; people know the source pattern in it that is wrong.
    if (auto fault = find_pattern_fault(patterns)) throw_fault(std::move(*fault), place);
    throw std::move(error).in(place);
  }
}

std::string with_dot(const std::string& prefix) { return prefix.empty() ? "" : prefix + "."; }

}  // namespace

CompiledTransform::CompiledTransform(Transform transform) : transform_(std::move(transform)) {
  if (transform_.type == TransformType::KeyMapping) {
    compile_mapping();
    return;
  }
  ProcessedPatterns patterns;
  try {
    patterns = process_patterns(transform_);
  } catch (TransformFault& fault) {
    throw_fault(std::move(fault), transform_.place);
  }
  pattern_ = compile(patterns, transform_.place);
  for (const auto& branch : patterns.branches) {
    branches_.push_back({branch.source, *pattern_->group(fmt::format("g{}", branch.source)), 0});
  }
  for (std::size_t i = 0; i < branches_.size(); ++i) {
    const std::size_t next =
        i + 1 < branches_.size() ? branches_[i + 1].group : pattern_->syntax().groups + 1;
    branches_[i].groups = next - branches_[i].group - 1;
  }
  if (transform_.scope_prefix) {
    scope_ = with_dot(*transform_.scope_prefix);
    base_and_scope_ = with_dot(transform_.base_model_prefix) + scope_;
  }
  sources_ = std::move(patterns.sources);
  targets_ = std::move(patterns.targets);
}

void CompiledTransform::compile_mapping() {
  try {
    mapping_ = std::make_shared<const KeyMapping>(transform_);
  } catch (TransformFault& fault) {
    throw_fault(std::move(fault), transform_.place);
  }
  for (const MappingCase& each : transform_.cases) {
    sources_.push_back(each.source);
    targets_.push_back(each.target.value_or(""));
  }
}

// Bytes of `key` that belong to the scope (T9); nullopt if the key lies outside.
std::optional<std::size_t> CompiledTransform::scope_size(std::string_view key) const noexcept {
  if (!transform_.scope_prefix) return 0;
  if (key.starts_with(base_and_scope_)) return base_and_scope_.size();
  if (key.starts_with(scope_)) return scope_.size();
  return std::nullopt;
}

bool CompiledTransform::search(std::string_view subject, Match& match) const {
  try {
    return pattern_->search(subject, match);
  } catch (Error& error) {
    throw std::move(error).in(transform_.place);
  }
}

const CompiledTransform::Branch& CompiledTransform::matched_branch(const Match& match) const {
  for (const Branch& branch : branches_) {
    if (match.span(branch.group).matched()) return branch;
  }
  throw Error(ErrorKind::rename_failed, "no source pattern of the match took part in it")
      .in(transform_.place);
}

// The first group inside the source pattern that matched: what \1 in a target stands for (T8).
std::string_view CompiledTransform::inner_group(const Branch& branch, const Match& match,
                                                std::string_view subject) const {
  const auto span = branch.groups == 0 ? Match::Span{} : match.span(branch.group + 1);
  if (span.matched()) return subject.substr(span.begin, span.size());
  throw Error(ErrorKind::rename_failed,
              fmt::format("the target asks for \\1, but {} source pattern {}",
                          branch.groups == 0 ? "there is no group in" : "nothing matched the group in",
                          quote(sources_[branch.source])))
      .in(transform_.place);
}

std::string CompiledTransform::replacement(const Branch& branch, const Match& match,
                                           std::string_view subject) const {
  switch (transform_.type) {
    case TransformType::GroupWeightRename:
      return group_replacement(branch, match, subject);
    case TransformType::Inkling2IndexOffsetWeightRename:
      return shifted_replacement(branch, match, subject);
    default:
      break;
  }
  std::string out = targets_.front();
  std::size_t at = out.find("\\1");
  if (at == std::string::npos) return out;
  const std::string_view group = inner_group(branch, match, subject);
  for (; at != std::string::npos; at = out.find("\\1", at + group.size())) out.replace(at, 2, group);
  return out;
}

// \0, \1, \2 … count from the source pattern's own group; a group that took no part is empty (T11).
std::string CompiledTransform::group_replacement(const Branch& branch, const Match& match,
                                                 std::string_view subject) const {
  if (branch.source >= targets_.size()) {
    throw Error(ErrorKind::rename_failed, fmt::format("there is no target pattern for source pattern {}",
                                                      quote(sources_[branch.source])))
        .in(transform_.place);
  }
  const std::string& target = targets_[branch.source];
  std::string out;
  for (std::size_t i = 0; i < target.size();) {
    std::size_t number = 0, end = i + 1;
    for (int digit = 0; target[i] == '\\' && end < target.size();
         end += utf8::valid_length(target.substr(end))) {
      if ((digit = python::decimal_value(utf8::decode(target.substr(end)))) < 0) break;
      number = std::min<std::size_t>(number * 10 + static_cast<std::size_t>(digit), 1'000'000'000);
    }
    if (end == i + 1) {
      out += target[i++];
      continue;
    }
    if (branch.group + number > pattern_->syntax().groups) {
      throw Error(ErrorKind::rename_failed, fmt::format("target pattern {} asks for \\{}, a group that the "
                                                        "source patterns do not have",
                                                        quote(target), number))
          .in(transform_.place);
    }
    const auto span = match.span(branch.group + number);
    if (span.matched()) out += subject.substr(span.begin, span.size());
    i = end;
  }
  return out;
}

// The number that the group holds, moved by the offset (T16).
std::string CompiledTransform::shifted_replacement(const Branch& branch, const Match& match,
                                                   std::string_view subject) const {
  const std::string_view text = inner_group(branch, match, subject);
  const auto number = python::add_to_integer(text, transform_.offset);
  if (!number) {
    throw Error(ErrorKind::rename_failed,
                fmt::format("the group in source pattern {} matched {}, which is no "
                            "whole number to add the offset to",
                            quote(sources_[branch.source]), quote(text)))
        .in(transform_.place);
  }
  std::string out = targets_.front();
  for (std::size_t at = out.find("\\1"); at != std::string::npos; at = out.find("\\1", at + number->size())) {
    out.replace(at, 2, *number);
  }
  return out;
}

std::optional<Applied> CompiledTransform::apply_mapping(std::string& key) const {
  try {
    return mapping_->apply(key);
  } catch (Error& error) {
    throw std::move(error).in(transform_.place);
  }
}

bool CompiledTransform::matches(std::string_view key, Match& match) const {
  if (mapping_) return mapping_->matches(key, match);
  const auto scope = scope_size(key);
  return scope && search(key.substr(*scope), match);
}

std::optional<Applied> CompiledTransform::apply(std::string& key, bool& armed) const {
  if (mapping_) return apply_mapping(key);
  const auto scope = scope_size(key);
  if (!scope) return std::nullopt;
  thread_local Match match;
  const std::string_view subject = std::string_view(key).substr(*scope);
  if (!search(subject, match)) return std::nullopt;
  const Branch& branch = matched_branch(match);
  if (is_stateful()) {
    armed = armed || branch.source == 0;
    if (!armed) return std::nullopt;
  }
  const std::string text = replacement(branch, match, subject);
  // What is replaced is the first occurrence of the matched text, wherever the match was (T8).
  const auto span = match.span();
  const std::size_t first = subject.find(subject.substr(span.begin, span.size()));
  const Applied applied{branch.source, *scope + span.begin, *scope + span.end, *scope + first, text.size()};
  key.replace(applied.replaced_at, span.size(), text);
  return applied;
}

}  // namespace keyshift
