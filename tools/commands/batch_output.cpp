#include <fmt/format.h>

#include "base/json_writer.h"
#include "tools/commands/batch.h"
#include "tools/commands/rewritten_output.h"
#include "tools/style.h"

namespace keyshift::tools {

namespace {

using Status = BatchResult::Status;

constexpr std::string_view kNames[] = {"converted", "already", "planned", "failed", "interrupted"};
constexpr std::string_view kSchema = "keyshift-batch/1";

std::string_view name(Status status) { return kNames[static_cast<std::size_t>(status)]; }

}  // namespace

void BatchSummary::add(const BatchResult& result) {
  count[static_cast<std::size_t>(result.status)] += 1;
  if (result.status == Status::converted) bytes += result.bytes;
}

std::string batch_text(const BatchLine& line, const BatchResult& result) {
  const bool in_place = line.source == line.destination;
  std::string paths = printable(line.source.string());
  if (!in_place) paths += fmt::format(" → {}", printable(line.destination.string()));
  switch (result.status) {
    case Status::converted:
    case Status::planned:
      return fmt::format("{:<9}  {}: {}, {} renamed, {}\n", name(result.status), paths,
                         counted(result.tensors, "tensor"), grouped(result.changed),
                         in_place ? "in place" : human_bytes(result.bytes));
    case Status::already:
      return fmt::format("{:<9}  {}: its receipt and every {} say so\n", name(result.status), paths,
                         in_place ? "header" : "digest");
    default:
      return "";
  }
}

std::string batch_json(const BatchLine& line, const BatchResult& result) {
  json::Writer out;
  out.begin_object().key("schema").string(kSchema).key("line").number(std::uint64_t{line.number});
  out.key("source").string(path_text(line.source)).key("destination").string(path_text(line.destination));
  out.key("status").string(name(result.status));
  if (result.status == Status::converted || result.status == Status::planned) {
    out.key("tensors").number(result.tensors).key("changed").number(result.changed);
    out.key("bytes").number(result.bytes);
  }
  if (!result.receipt_digest.empty()) out.key("receipt_digest").string(result.receipt_digest);
  if (result.status == Status::failed) {
    out.key("error").begin_object().key("kind").string(name(result.error_kind));
    out.key("message").string(path_text(result.error)).end_object();
  }
  write_rewritten(out, result.rewritten);
  out.key("warnings").begin_array();
  for (const std::string& warning : result.warnings) out.string(path_text(warning));
  out.end_array().key("seconds").number(result.seconds).end_object();
  return std::move(out.text()) + '\n';
}

std::string summary_text(const BatchSummary& summary) {
  std::string out = fmt::format("{}:", counted(summary.checkpoints, "checkpoint"));
  const char* separator = " ";
  for (const Status status :
       {Status::converted, Status::already, Status::planned, Status::failed, Status::interrupted}) {
    if (summary.of(status) == 0) continue;
    const std::string_view what = status == Status::already       ? "already there"
                                  : status == Status::interrupted ? "not done"
                                                                  : name(status);
    out += fmt::format("{}{} {}", separator, grouped(summary.of(status)), what);
    separator = ", ";
  }
  if (summary.bytes != 0) {
    const auto rate =
        static_cast<std::uint64_t>(static_cast<double>(summary.bytes) / std::max(summary.seconds, 1e-9));
    out += fmt::format("; {} in {} ({}/s)", human_bytes(summary.bytes), human_seconds(summary.seconds),
                       human_bytes(rate));
  }
  return out + '\n';
}

std::string summary_json(const BatchSummary& summary) {
  json::Writer out;
  out.begin_object().key("schema").string(kSchema).key("summary").boolean(true);
  out.key("checkpoints").number(summary.checkpoints);
  for (const Status status :
       {Status::converted, Status::already, Status::planned, Status::failed, Status::interrupted})
    out.key(name(status)).number(summary.of(status));
  out.key("bytes").number(summary.bytes).key("seconds").number(summary.seconds).end_object();
  return std::move(out.text()) + '\n';
}

}  // namespace keyshift::tools
