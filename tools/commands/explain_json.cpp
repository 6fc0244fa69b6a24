#include "base/json_writer.h"
#include "base/utf8.h"
#include "tools/commands/explain.h"

namespace keyshift::tools {

namespace {

// Places are told in characters, as every language but C counts them.
void write_span(json::Writer& out, std::string_view name, std::string_view key, std::size_t begin,
                std::size_t end) {
  const std::uint64_t from = utf8::count_codepoints(key.substr(0, begin));
  const std::string_view text = key.substr(begin, end - begin);
  out.key(name).begin_object().key("begin").number(from);
  out.key("end").number(from + utf8::count_codepoints(text)).key("text").string(text).end_object();
}

void write_transform(json::Writer& out, const RenameStep& step, const CompiledTransform& transform) {
  const Applied& applied = step.applied;
  out.key("place").string(path_text(transform.transform().place));
  out.key("source_pattern").string(transform.source_patterns()[applied.source]);
  out.key("target_pattern").string(target_of(transform, applied));
  out.key("operations").begin_array();
  for (const OperationSpec& operation : transform.transform().operations) out.string(operation.type);
  out.end_array().key("armed").boolean(step.armed);
  const std::size_t size = applied.match_end - applied.match_begin;
  write_span(out, "match", step.before, applied.match_begin, applied.match_end);
  write_span(out, "replaced", step.before, applied.replaced_at, applied.replaced_at + size);
  write_span(out, "replacement", step.after, applied.replaced_at,
             applied.replaced_at + applied.replacement_size);
}

void write_step(json::Writer& out, const RenameStep& step, const Renaming& renaming) {
  out.begin_object().key("transform");
  if (step.transform) {
    out.number(std::uint64_t{*step.transform});
  } else {
    out.null();
  }
  out.key("type").string(step.what).key("before").string(step.before).key("after");
  out.string(step.armed ? step.after : step.before);
  const auto* found = step.transform ? find_step(renaming, *step.transform) : nullptr;
  if (found != nullptr) write_transform(out, step, found->transform);
  out.end_object();
}

void write_numbers(json::Writer& out, std::string_view name, const std::vector<std::uint32_t>& numbers) {
  out.key(name).begin_array();
  for (const std::uint32_t number : numbers) out.number(std::uint64_t{number});
  out.end_array();
}

}  // namespace

std::string explain_json(const Explanation& explanation, const Renaming& renaming) {
  const bool load = renaming.options().direction == Direction::load;
  json::Writer out;
  out.begin_object().key("schema").string("keyshift-explain/1");
  out.key("direction").string(load ? "load" : "save");
  out.key("from").string(explanation.from).key("to");
  if (explanation.outcome.dropped) {
    out.null();
  } else {
    out.string(explanation.to);
  }
  out.key("converter");
  if (explanation.outcome.converter) {
    out.string(*explanation.outcome.converter);
  } else {
    out.null();
  }
  write_numbers(out, "transforms", explanation.outcome.transforms);
  write_numbers(out, "passed_over", explanation.passed_over);
  out.key("steps").begin_array();
  for (const RenameStep& step : explanation.steps) write_step(out, step, renaming);
  out.end_array().end_object();
  return std::move(out.text()) + '\n';
}

}  // namespace keyshift::tools
