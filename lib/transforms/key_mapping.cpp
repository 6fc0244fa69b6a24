#include "transforms/key_mapping.h"

#include <fmt/format.h>

#include <array>

#include "base/error.h"
#include "transforms/processed_patterns.h"

namespace keyshift {

namespace {

// What PEFT takes off before a mapping and puts back behind it, the longer first.
constexpr std::array<std::string_view, 2> kAdapterPrefixes = {"base_model.model.", "base_model."};

}  // namespace

KeyMapping::KeyMapping(const Transform& transform) : of_an_adapter_(transform.of_an_adapter) {
  for (std::size_t i = 0; i < transform.cases.size(); ++i) {
    const MappingCase& given = transform.cases[i];
    try {
      Case made{Pattern(given.source), std::nullopt};
      if (given.target) made.target.emplace(*given.target, made.source.syntax());
      cases_.push_back(std::move(made));
    } catch (const regex::SyntaxError& error) {
      throw TransformFault{.kind = ErrorKind::pattern_invalid,
                           .message = fmt::format("template {}: {}", quote(*given.target), error.message),
                           .source = i,
                           .offset = error.offset,
                           .in_target = true};
    } catch (const Error& error) {
      throw TransformFault{.kind = error.kind(), .message = error.message(), .source = i};
    }
  }
}

// Bytes of `key` that the mapping does not see.
std::size_t KeyMapping::prefix_size(std::string_view key) const {
  if (!of_an_adapter_) return 0;
  for (const std::string_view prefix : kAdapterPrefixes) {
    if (key.starts_with(prefix)) return prefix.size();
  }
  throw Error(ErrorKind::rename_failed,
              "the keys of an adapter begin with base_model., and PEFT loads none that does not");
}

bool KeyMapping::matches(std::string_view key, Match& match) const {
  const std::string_view subject = key.substr(prefix_size(key));
  for (const Case& each : cases_) {
    if (each.source.search(subject, match)) return true;
  }
  return false;
}

std::optional<Applied> KeyMapping::apply(std::string& key) const {
  const std::size_t prefix = prefix_size(key);
  thread_local Match match;
  for (std::size_t i = 0; i < cases_.size(); ++i) {
    if (!cases_[i].source.search(std::string_view(key).substr(prefix), match)) continue;
    Applied applied = substitute(cases_[i], match, key, prefix);
    applied.source = i;
    return applied;
  }
  return std::nullopt;
}

// Every match from left to right. One that takes nothing is followed by one that takes something at the same
// place, or by one behind it.
Applied KeyMapping::substitute(const Case& found, Match& match, std::string& key, std::size_t prefix) const {
  const std::string_view subject = std::string_view(key).substr(prefix);
  const Match::Span first = match.span();
  Applied applied{0, prefix + first.begin, prefix + first.end, prefix + first.begin, 0};
  if (!found.target) {
    applied.dropped = true;
    key.clear();
    return applied;
  }
  std::string out = key.substr(0, prefix);
  std::size_t copied = 0;
  bool more = true;
  for (bool is_first = true; more; is_first = false) {
    const Match::Span span = match.span();
    out += subject.substr(copied, span.begin - copied);
    const std::size_t before = out.size();
    found.target->append(out, match, subject);
    if (is_first) applied.replacement_size = out.size() - before;
    copied = span.end;
    more = found.source.search_from(subject, span.end, span.size() == 0, match);
  }
  out += subject.substr(copied);
  key = std::move(out);
  return applied;
}

}  // namespace keyshift
