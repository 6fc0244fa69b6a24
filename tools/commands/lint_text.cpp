#include <fmt/format.h>

#include <algorithm>

#include "base/json_writer.h"
#include "tools/commands/lint.h"

namespace keyshift::tools {

namespace {

std::string words(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '_', ' ');
  return out;
}

std::string transform_line(const Transform& transform, std::uint32_t index) {
  const std::string place = transform.place.empty() ? "" : fmt::format(" ({})", printable(transform.place));
  std::string what;
  if (!transform.cases.empty()) {
    what = fmt::format(": {}", quote(transform.cases.front().source));
    if (transform.cases.size() > 1) what += fmt::format(" and {} more", transform.cases.size() - 1);
  } else if (!transform.source_patterns.empty()) {
    what = fmt::format(": {} → {}", quote(transform.source_patterns.front()),
                       quote(transform.target_patterns.front()));
    if (transform.source_patterns.size() > 1)
      what += fmt::format(", {} source patterns", transform.source_patterns.size());
  } else if (transform.prefix_to_add) {
    what = fmt::format(": adds {}", quote(*transform.prefix_to_add));
  } else if (transform.prefix_to_remove) {
    what = fmt::format(": removes {}", quote(*transform.prefix_to_remove));
  }
  return fmt::format("  transform {}, {}{}{}\n", index, name(transform.type), what, place);
}

// Two keys and what both become; else what becomes of a key, one step a line.
std::string keys_text(const LintFinding& finding) {
  std::string out;
  for (std::size_t i = 0; i < finding.keys.size(); ++i) {
    std::string_view sign = i == 0 ? "  " : "→ ";
    if (finding.kind == LintKind::collision && i == 1) sign = "  ";
    if (finding.kind == LintKind::order_dependent && i == 2) sign = "⇒ ";
    out += fmt::format("    {}{}\n", sign, printable(finding.keys[i]));
  }
  return out;
}

std::string finding_text(const LintFinding& finding, const TransformList& transforms, const Style& style) {
  std::string out = style.bold(style.bad(words(name(finding.kind)))) + ": " + finding.message;
  if (finding.count > 1) {
    out += finding.kind == LintKind::order_dependent
               ? fmt::format("; so for {} shapes of keys", grouped(finding.count))
               : fmt::format("; so for {} keys", grouped(finding.count));
  }
  out += '\n';
  for (const std::uint32_t index : finding.transforms) {
    out += style.dim(transform_line(transforms.transforms[index], index));
  }
  return out + keys_text(finding) + '\n';
}

std::string checkpoint_text(const CheckpointFinding& finding, const Style& style) {
  std::string out = style.bold(style.bad(words(name(finding.fault)))) + ": ";
  if (!finding.file.empty()) out += printable(finding.file) + ": ";
  if (finding.key) out += quote(*finding.key) + " is ";
  out += finding.message;
  if (finding.count > 1) out += fmt::format(" ({} such keys)", grouped(finding.count));
  return out + '\n';
}

}  // namespace

std::string lint_text(const LintAnswer& answer, const Style& style) {
  std::string out;
  for (const CheckpointFinding& finding : answer.checkpoint) out += checkpoint_text(finding, style);
  if (!answer.checkpoint.empty() && !answer.findings.empty()) out += '\n';
  for (const LintFinding& finding : answer.findings) {
    out += finding_text(finding, answer.transforms, style);
  }
  if (answer.names_looked_at) {
    out +=
        fmt::format("{} on {}, tried with {}{}: ", counted(answer.transforms.transforms.size(), "transform"),
                    answer.direction == Direction::load ? "load" : "save", counted(answer.keys, "key"),
                    answer.made_from_patterns ? " made from their patterns" : "");
  }
  if (!answer.names_looked_at) out += printable(answer.path) + ": ";
  const std::size_t found = answer.findings.size() + answer.checkpoint.size();
  return out + (found == 0 ? "nothing found" : counted(found, "finding")) + '\n';
}

std::string lint_json(const LintAnswer& answer) {
  json::Writer out;
  out.begin_object().key("schema").string("keyshift-lint/1");
  out.key("direction").string(answer.direction == Direction::load ? "load" : "save");
  out.key("transforms").number(std::uint64_t{answer.transforms.transforms.size()});
  out.key("keys").number(std::uint64_t{answer.keys});
  out.key("made_from_patterns").boolean(answer.made_from_patterns);
  out.key("findings").begin_array();
  for (const LintFinding& finding : answer.findings) {
    out.begin_object().key("kind").string(name(finding.kind)).key("message").string(finding.message);
    out.key("count").number(finding.count).key("transforms").begin_array();
    for (const std::uint32_t index : finding.transforms) out.number(std::uint64_t{index});
    out.end_array().key("keys").begin_array();
    for (const std::string& key : finding.keys) out.string(key);
    out.end_array().end_object();
  }
  out.end_array().key("checkpoint").begin_array();
  for (const CheckpointFinding& finding : answer.checkpoint) {
    out.begin_object().key("kind").string(name(finding.fault)).key("file").string(path_text(finding.file));
    out.key("key");
    if (finding.key) {
      out.string(*finding.key);
    } else {
      out.null();
    }
    out.key("count").number(finding.count).key("message").string(path_text(finding.message)).end_object();
  }
  out.end_array().end_object();
  return std::move(out.text()) + '\n';
}

}  // namespace keyshift::tools
