#include "transforms/processed_patterns.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/utf8.h"
#include "transforms/key_mapping.h"
#include "transforms/operation_spec.h"
#include "transforms/python_regex.h"

namespace keyshift {

namespace {

constexpr std::size_t npos = std::string::npos;

// The first `open` with at least one character and then a `)` behind it, all on one line: where the `)` is
// found, or npos. This is what the lazy patterns \(.+?\) and \(\?.+?\)?\) of the reference come down to.
std::size_t closing_bracket(std::string_view text, std::size_t inner) {
  if (inner >= text.size() || text[inner] == '\n') return npos;
  const std::size_t found = text.find_first_of(")\n", inner + 1);
  return found != npos && text[found] == ')' ? found : npos;
}

// Drops lookarounds and other (?…): up to the first `)`, and one more if it follows at once.
std::string without_extensions(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t close = text.substr(i, 2) == "(?" ? closing_bracket(text, i + 2) : npos;
    if (close == npos) {
      out += text[i++];
    } else {
      i = close + (text.substr(close + 1, 1) == ")" ? 2 : 1);
    }
  }
  return out;
}

std::string_view first_group(std::string_view text) {
  for (std::size_t i = text.find('('); i != npos; i = text.find('(', i + 1)) {
    const std::size_t close = closing_bracket(text, i + 1);
    if (close != npos) return text.substr(i, close - i + 1);
  }
  return {};
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

void replace_first(std::string& text, std::string_view from, std::string_view to) {
  if (const std::size_t at = text.find(from); at != npos) text.replace(at, from.size(), to);
}

// A target is a text with \1 in it. What only makes sense in a source is dropped, for it will be one in
// reverse. `group` receives the group that \1 stands for, if the target has one.
std::string process_target(std::string_view pattern, std::string& group) {
  std::string out = without_extensions(pattern.starts_with('^') ? pattern.substr(1) : pattern);
  group = first_group(out);
  if (!group.empty()) replace_first(out, group, "\\1");
  replace_all(out, "\\.", ".");
  return out;
}

void process_targets(ProcessedPatterns& patterns, std::string& group) {
  for (std::string& target : patterns.targets) {
    std::string own;
    target = process_target(target, own);
    if (own.empty()) continue;
    if (!group.empty() && own != group) {
      throw TransformFault{
          .kind = ErrorKind::transform_invalid,
          .message = fmt::format("the target patterns hold different groups, {} and {}: \\1 in a source "
                                 "pattern could not tell which one it stands for",
                                 quote(group), quote(own))};
    }
    group = std::move(own);
  }
}

void process_sources(ProcessedPatterns& patterns, const std::vector<std::string>& original_targets,
                     std::string_view group) {
  for (std::size_t i = 0; i < patterns.sources.size(); ++i) {
    std::string& source = patterns.sources[i];
    if (source.find("\\1") != npos) {
      if (group.empty()) {
        throw TransformFault{.kind = ErrorKind::transform_invalid,
                             .message = fmt::format("source pattern {} asks for \\1, but no target pattern "
                                                    "holds a group that could stand there",
                                                    quote(source)),
                             .source = i};
      }
      replace_first(source, "\\1", group);
    }
    const bool paired = patterns.sources.size() == original_targets.size();
    if (paired && original_targets[i].starts_with('^') && !source.starts_with('^')) source.insert(0, "^");
  }
}

bool is_ascii_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// `weight` is a whole name; `hc_` is the start of one. A final line end does not count, as with Python's $.
std::string branch_text(std::string source) {
  replace_all(source, "*.", ".*\\.");
  const std::size_t size = source.ends_with('\n') ? source.size() - 1 : source.size();
  if (size > 0 && is_ascii_alphanumeric(source[size - 1])) source += "(?!\\w)";
  return source;
}

void build_alternation(ProcessedPatterns& patterns) {
  std::vector<std::size_t> order(patterns.sources.size()), lengths;
  std::iota(order.begin(), order.end(), 0U);
  for (const auto& source : patterns.sources) lengths.push_back(utf8::count_codepoints(source));
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return lengths[a] > lengths[b]; });
  for (const std::size_t source : order) {
    patterns.alternation += fmt::format("{}(?P<g{}>", patterns.alternation.empty() ? "" : "|", source);
    const std::size_t begin = patterns.alternation.size();
    patterns.alternation += branch_text(patterns.sources[source]);
    patterns.branches.push_back({source, begin, patterns.alternation.size()});
    patterns.alternation += ')';
  }
}

// The patterns that a PrefixChange stands for (T17).
void expand_prefix_change(const Transform& transform, ProcessedPatterns& patterns) {
  if (transform.prefix_to_add.has_value() == transform.prefix_to_remove.has_value()) {
    throw TransformFault{
        .message = "a PrefixChange takes exactly one of \"prefix_to_add\" and \"prefix_to_remove\""};
  }
  const std::string model = transform.model_prefix.empty() ? "" : transform.model_prefix + "\\.";
  if (const auto& prefix = transform.prefix_to_add) {
    patterns.sources = {fmt::format("^{}(?:(?!{}\\.))(.+)", model, *prefix)};
    patterns.targets = {fmt::format("{}{}\\.\\1", model, *prefix)};
  } else {
    patterns.sources = {fmt::format("^{}{}\\.(.+)", model, *transform.prefix_to_remove)};
    patterns.targets = {fmt::format("{}\\1", model)};
  }
}

void check_converter(const Transform& transform) {
  if (transform.operations.empty()) {
    throw TransformFault{.message = "a WeightConverter needs at least one operation"};
  }
  for (const OperationSpec& operation : transform.operations) {
    if (!is_known_operation(operation.type)) {
      throw TransformFault{.kind = ErrorKind::transform_unknown,
                           .message = unknown_operation(operation.type)};
    }
    if (auto fault = check_arguments(operation)) throw TransformFault{.message = std::move(fault->message)};
  }
  if (transform.source_patterns.size() == 1 || transform.target_patterns.size() == 1) return;
  if (std::none_of(transform.operations.begin(), transform.operations.end(), supports_many_to_many)) {
    throw TransformFault{
        .message = fmt::format("{} source patterns and {} target patterns: with these operations a "
                               "WeightConverter can only go from one to one, one to many or many to one",
                               transform.source_patterns.size(), transform.target_patterns.size())};
  }
}

TransformFault pattern_fault(const ProcessedPatterns& patterns, const ProcessedPatterns::Branch& branch,
                             std::size_t offset, std::string_view message) {
  const std::string& source = patterns.sources[branch.source];
  const std::size_t at = std::min(offset, source.size());
  return {
      .kind = ErrorKind::pattern_invalid,
      .message = fmt::format(
          "source pattern {}: {}, at character {}", quote(source), message,
          utf8::count_codepoints(std::string_view(source).substr(0, utf8::floor_boundary(source, at))) + 1),
      .source = branch.source,
      .offset = at};
}

// A branch that is no pattern by itself has the nearer place: in `a(` it is the bracket, not the whole.
std::optional<TransformFault> fault_in_one_branch(const ProcessedPatterns& patterns) {
  for (const auto& branch : patterns.branches) {
    try {
      static_cast<void>(regex::parse(
          std::string_view(patterns.alternation).substr(branch.begin, branch.end - branch.begin)));
    } catch (const regex::SyntaxError& error) {
      return pattern_fault(patterns, branch, error.offset, error.message);
    }
  }
  return std::nullopt;
}

}  // namespace

ProcessedPatterns process_patterns(const Transform& transform) {
  ProcessedPatterns patterns{transform.source_patterns, transform.target_patterns, {}, {}};
  if (transform.type == TransformType::PrefixChange) expand_prefix_change(transform, patterns);
  if (patterns.sources.empty()) throw TransformFault{.message = "there is no source pattern"};
  if (patterns.targets.empty()) throw TransformFault{.message = "there is no target pattern"};
  const std::vector<std::string> original_targets = patterns.targets;
  std::string group;
  process_targets(patterns, group);
  process_sources(patterns, original_targets, group);
  build_alternation(patterns);
  if (transform.type == TransformType::WeightConverter) check_converter(transform);
  return patterns;
}

std::optional<TransformFault> find_pattern_fault(const ProcessedPatterns& patterns) {
  try {
    static_cast<void>(regex::to_pcre2(regex::parse(patterns.alternation)));
    return std::nullopt;
  } catch (const regex::SyntaxError& error) {
    for (const auto& branch : patterns.branches) {
      if (error.offset >= branch.begin && error.offset <= branch.end) {
        return pattern_fault(patterns, branch, error.offset - branch.begin, error.message);
      }
    }
    if (auto fault = fault_in_one_branch(patterns)) return fault;
    return pattern_fault(patterns, patterns.branches.front(), 0, error.message);
  }
}

void check_transform(const Transform& transform) {
  if (transform.type == TransformType::KeyMapping) {
    static_cast<void>(KeyMapping(transform));
    return;
  }
  const ProcessedPatterns patterns = process_patterns(transform);
  if (auto fault = find_pattern_fault(patterns)) throw std::move(*fault);
}

}  // namespace keyshift
