#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "tools/commands/convert.h"
#include "tools/commands/rewritten_output.h"

namespace keyshift::tools {

namespace {

std::size_t used_count(const std::vector<bool>& used) {
  return static_cast<std::size_t>(std::count(used.begin(), used.end(), true));
}

std::string transforms_line(const std::vector<bool>& used) {
  if (used.empty()) return "none";
  return fmt::format("{} of {} matched", used_count(used), used.size());
}

std::string dropped_text(std::uint64_t dropped) {
  return dropped == 0 ? "" : fmt::format("; {} dropped", grouped(dropped));
}

std::string title(std::string_view what, const Conversion& conversion, const Style& style) {
  return style.bold(fmt::format("{} {} → {}", what, printable(conversion.request.plan.source.string()),
                                printable(conversion.request.destination.string()))) +
         '\n';
}

std::string line(std::string_view name, const std::string& text) {
  return fmt::format("  {:<12}{}\n", name, text);
}

// A key for each way in which keys change, so that a list of transforms can be judged at a glance.
std::string examples(const KeyTable& keys) {
  constexpr std::size_t kShown = 8;
  std::unordered_set<const RenameOutcome*> shown;
  std::string out;
  for (std::size_t i = 0; i < keys.size() && shown.size() < kShown; ++i) {
    const KeyTable::Row row = keys.row(i);
    if (row.dropped || row.from == row.to || !shown.insert(&keys.outcome(i)).second) continue;
    out += line(shown.size() == 1 ? "for example" : "",
                fmt::format("{} → {}", printable(row.from), printable(row.to)));
  }
  return out;
}

std::string shard_lines(const PreparedPlan& prepared, const Style& style) {
  std::size_t widest = 0;
  for (const PlannedShard& shard : prepared.plan.shards)
    widest = std::max(widest, columns(printable(shard.name)));
  std::string out;
  for (const PlannedShard& shard : prepared.plan.shards) {
    const std::string name = printable(shard.name);
    std::string was;
    if (shard.source) {
      const Header& header = prepared.checkpoint->shards()[*shard.source].header();
      was = fmt::format(" (was {})", human_bytes(header.data_start()));
    }
    out += fmt::format("  {}{}  {}: header {}{}, {} in {}\n", name, std::string(widest - columns(name), ' '),
                       style.size(human_bytes(shard.size)), human_bytes(shard.header.size()), was,
                       counted(shard.tensors.size(), "tensor"), counted(shard.extents.size(), "extent"));
  }
  return out;
}

std::string moves_text(const ShownPlan& shown, const Style& style) {
  const Plan& plan = shown.prepared.plan;
  std::string out = style.size(human_bytes(plan.data_bytes())) + " of tensors";
  const auto way = [&](CopyWay way, std::string_view what) {
    const std::uint64_t bytes = shown.ways.bytes(plan, way);
    if (bytes == 0) return;
    const std::string share = bytes == plan.data_bytes() ? "" : human_bytes(bytes) + ' ';
    out += fmt::format(": {}{}, {}", share, what, shown.ways.is_digested(way) ? "digested" : "not digested");
  };
  way(CopyWay::reflink, "shared, whole blocks without a copy");
  way(CopyWay::range, "copied in the kernel");
  way(CopyWay::stream, "read and written");
  return out;
}

// How the source is looked at says nothing new where it is mapped as usual.
std::string reading_line(const Checkpoint& checkpoint) {
  const auto read = std::ranges::count_if(checkpoint.shards(), [](const Shard& shard) {
    return shard.file().size() > 0 && !shard.file().is_mapped();
  });
  if (read == 0) return "";
  const bool all = static_cast<std::size_t>(read) == checkpoint.shards().size();
  return line(
      "reading",
      fmt::format("by pread, not mapped{}",
                  all ? "" : fmt::format(": {}", counted(static_cast<std::uint64_t>(read), "shard"))));
}

}  // namespace

std::uint64_t ShownPlan::needed_bytes() const {
  return prepared.plan.output_bytes() - ways.bytes(prepared.plan, CopyWay::reflink);
}

std::string plan_text(const ShownPlan& shown, const Conversion& conversion, const Style& style) {
  const PreparedPlan& prepared = shown.prepared;
  const Plan& plan = prepared.plan;
  std::string out = title("plan:", conversion, style) + shard_lines(prepared, style) + '\n';
  out += line("tensors", fmt::format("{}, {} of them renamed{}", grouped(prepared.keys->kept()),
                                     grouped(prepared.keys->changed()),
                                     dropped_text(prepared.keys->size() - prepared.keys->kept())));
  out += examples(*prepared.keys);
  out += line("transforms", transforms_line(prepared.keys->used()));
  out += line("index", plan.index_name ? printable(*plan.index_name) : "none");
  std::vector<std::string> side_files;
  for (const std::string& name : plan.side_files) side_files.push_back(printable(name));
  out += line("side files", side_files.empty() ? "none" : fmt::format("{}", fmt::join(side_files, ", ")));
  out += rewritten_text(plan.rewritten);
  out += line("bytes", moves_text(shown, style));
  out += reading_line(*prepared.checkpoint);
  const std::string there =
      shown.free_bytes ? fmt::format(", {} are free", human_bytes(*shown.free_bytes)) : "";
  const bool too_little = shown.free_bytes && *shown.free_bytes < shown.needed_bytes();
  out += line("space", fmt::format("{} needed{}{}", style.size(human_bytes(shown.needed_bytes())), there,
                                   too_little ? style.bad(": too little") : ""));
  return out + "Nothing was written.\n";
}

std::string result_text(const RewriteResult& result, const Conversion& conversion, double seconds,
                        const Style& style) {
  const auto rate =
      static_cast<std::uint64_t>(static_cast<double>(result.data_bytes) / std::max(seconds, 1e-9));
  std::string out = title("converted", conversion, style);
  out += line("shards",
              fmt::format("{} with {}, {} in {} ({}/s)", grouped(result.shards.size()),
                          counted(result.tensors, "tensor"), style.size(human_bytes(result.data_bytes)),
                          human_seconds(seconds), human_bytes(rate)));
  if (result.resumed > 0)
    out += line("resumed",
                fmt::format("{} of an earlier run, checked and kept", counted(result.resumed, "shard")));
  if (result.shared_bytes > 0)
    out +=
        line("shared", fmt::format("{} in whole blocks, without a copy", human_bytes(result.shared_bytes)));
  out += line("renamed", fmt::format("{}, by transforms: {}{}", counted(result.changed, "tensor"),
                                     transforms_line(result.used), dropped_text(result.dropped)));
  std::vector<std::string> others;
  for (const RewriteResult::File& file : result.others) others.push_back(printable(file.name));
  out += line("with them", others.empty() ? "no other files" : fmt::format("{}", fmt::join(others, ", ")));
  out += rewritten_text(result.rewritten);
  out += line("receipt", result.receipt_name.empty()
                             ? std::string("none")
                             : fmt::format("{}, digest {}", printable(result.receipt_name),
                                           result.receipt_digest.hex()));
  return out;
}

}  // namespace keyshift::tools
