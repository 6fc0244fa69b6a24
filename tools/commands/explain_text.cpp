#include <fmt/format.h>

#include <algorithm>

#include "tools/commands/explain.h"

namespace keyshift::tools {

namespace {

// `text` for a terminal, without quotes: pieces of a key shown one after another line up with the whole.
std::string escaped(std::string_view text) {
  const std::string shown = quote(text, text.size() + 1);
  return shown.substr(1, shown.size() - 2);
}

struct Mark {
  std::size_t begin = 0, end = 0;  // bytes of the key
  std::string_view note;
};

// A line of carets under a part of the key; one caret alone stands where nothing was matched or put in.
std::string marks(std::string_view key, const Mark& mark, const Style& style) {
  const std::size_t before = columns(escaped(key.substr(0, mark.begin)));
  const std::size_t width = columns(escaped(key.substr(mark.begin, mark.end - mark.begin)));
  const std::string carets(std::max<std::size_t>(width, 1), '^');
  return fmt::format("    {:{}}{}{}{}\n", "", before, style.number(carets), mark.note.empty() ? "" : " ",
                     mark.note);
}

std::string key_line(char sign, std::string_view key) { return fmt::format("  {} {}\n", sign, escaped(key)); }

std::string joined_types(const std::vector<OperationSpec>& operations) {
  std::string out;
  for (const OperationSpec& operation : operations) out += (out.empty() ? "" : ", ") + operation.type;
  return out;
}

std::string title(std::size_t number, const RenameStep& step, const CompiledTransform* transform,
                  const Style& style) {
  if (transform == nullptr) return style.bold(fmt::format("{}. {}", number, step.what)) + '\n';
  const std::string& place = transform->transform().place;
  std::string out = style.bold(fmt::format("{}. {}", number, step.what));
  out += fmt::format(", transform {}{}\n", *step.transform,
                     place.empty() ? "" : style.dim(fmt::format(" ({})", printable(place))));
  const std::vector<std::string>& sources = transform->source_patterns();
  out += fmt::format("   {} → {}", quote(sources[step.applied.source]),
                     quote(target_of(*transform, step.applied)));
  if (sources.size() > 1) {
    out += fmt::format(", source pattern {} of {}", step.applied.source + 1, sources.size());
  }
  if (transform->is_converter()) {
    out += ", the converter that fires: " + joined_types(transform->transform().operations);
  }
  return out + '\n';
}

// What matched, and what was replaced where that is another place.
std::string before_and_after(const RenameStep& step, const Style& style) {
  const Applied& applied = step.applied;
  const std::size_t size = applied.match_end - applied.match_begin;
  const bool elsewhere = applied.replaced_at != applied.match_begin;
  std::string out = key_line('-', step.before);
  if (size == 0) {
    out +=
        marks(step.before, {applied.match_begin, applied.match_end, "matches nothing at this place"}, style);
  } else {
    out += marks(step.before, {applied.match_begin, applied.match_end, elsewhere ? "matches" : ""}, style);
  }
  if (elsewhere) {
    out += marks(step.before,
                 {applied.replaced_at, applied.replaced_at + size,
                  size == 0 ? "put in here" : "is replaced: here that text stands first"},
                 style);
  }
  if (applied.dropped) return out + "    the tensor is dropped\n";
  out += key_line('+', step.after);
  if (applied.replacement_size > 0) {
    out +=
        marks(step.after, {applied.replaced_at, applied.replaced_at + applied.replacement_size, ""}, style);
  }
  return out;
}

std::string unarmed(const RenameStep& step, const CompiledTransform& transform, const Style& style) {
  std::string out = key_line(' ', step.before);
  out += marks(step.before, {step.applied.match_begin, step.applied.match_end, "matches, but does nothing"},
               style);
  out += fmt::format("    its first source pattern, {}, has matched no key before this one\n",
                     quote(transform.source_patterns().front()));
  return out;
}

std::string own_step(const RenameStep& step) {
  std::string out;
  if (step.what == "second try") {
    out = "   the target has no such key, but has the original: all of the above is thrown away\n";
  } else if (step.what == "base model prefix") {
    out = "   the target has the key so\n";
  }
  return out + key_line('-', step.before) + key_line('+', step.after);
}

std::string summary(const Explanation& explanation, const Renaming& renaming, const Style& style) {
  std::vector<std::uint32_t> matched = explanation.outcome.transforms;
  std::sort(matched.begin(), matched.end());
  std::string out =
      style.bold(fmt::format("{} → {}\n", printable(explanation.from),
                             explanation.outcome.dropped ? "dropped" : printable(explanation.to)));
  out += renaming.options().direction == Direction::load ? "load: " : "save: ";
  if (matched.empty()) {
    out += fmt::format("none of {} matched\n", counted(renaming.transform_count(), "transform"));
  } else {
    out += fmt::format("{} of {} matched (number {})\n", grouped(matched.size()),
                       counted(renaming.transform_count(), "transform"), fmt::join(matched, ", "));
  }
  if (explanation.outcome.converter) {
    out += fmt::format("converter: {}\n", quote(*explanation.outcome.converter));
  }
  for (const std::uint32_t index : explanation.passed_over) {
    out += fmt::format("transform {}, a WeightConverter, matches too, but only the first one fires\n", index);
  }
  return out;
}

}  // namespace

const std::string& target_of(const CompiledTransform& transform, const Applied& applied) {
  const auto& targets = transform.target_patterns();
  return (transform.is_stateful() || transform.is_mapping()) && applied.source < targets.size()
             ? targets[applied.source]
             : targets.front();
}

std::string explain_text(const Explanation& explanation, const Renaming& renaming, const Style& style) {
  std::string out;
  std::size_t number = 0;
  for (const RenameStep& step : explanation.steps) {
    const auto* found = step.transform ? find_step(renaming, *step.transform) : nullptr;
    const CompiledTransform* transform = found == nullptr ? nullptr : &found->transform;
    out += title(++number, step, transform, style);
    if (transform == nullptr) {
      out += own_step(step);
    } else if (!step.armed) {
      out += unarmed(step, *transform, style);
    } else {
      out += before_and_after(step, style);
    }
    out += '\n';
  }
  return out + summary(explanation, renaming, style);
}

}  // namespace keyshift::tools
