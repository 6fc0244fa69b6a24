#include "tools/commands/convert_in_place.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/json_writer.h"
#include "tools/commands/rewritten_output.h"

namespace keyshift::tools {

namespace {

std::string line(std::string_view name, const std::string& text) {
  return fmt::format("  {:<12}{}\n", name, text);
}

std::string transforms_line(const std::vector<bool>& used) {
  if (used.empty()) return "none";
  return fmt::format("{} of {} matched", std::count(used.begin(), used.end(), true), used.size());
}

std::string header_line(const InPlaceShard& shard) {
  if (!shard.way) return "nothing changes";
  const std::string sizes =
      fmt::format("header {} (was {})", human_bytes(shard.new_header), human_bytes(shard.old_header));
  switch (*shard.way) {
    case HeaderWay::overwrite:
      return fmt::format("header overwritten, {}", human_bytes(shard.new_header));
    case HeaderWay::insert:
      return fmt::format("{} inserted, {}", human_bytes(shard.new_header - shard.old_header), sizes);
    case HeaderWay::collapse:
      return fmt::format("{} taken out, {}", human_bytes(shard.old_header - shard.new_header), sizes);
    case HeaderWay::share:
      return fmt::format("a new file that shares the data's blocks, {}", sizes);
    case HeaderWay::copy:
      return fmt::format("a new file with a copy of the data, {}", sizes);
  }
  return sizes;
}

std::string ways_line(const InPlacePlan& plan) {
  constexpr std::array<std::pair<HeaderWay, std::string_view>, 5> kWays = {
      {{HeaderWay::overwrite, "overwritten"},
       {HeaderWay::insert, "with blocks inserted"},
       {HeaderWay::collapse, "with blocks taken out"},
       {HeaderWay::share, "in new files that share the data's blocks"},
       {HeaderWay::copy, "in new files with copies of the data"}}};
  std::vector<std::string> parts;
  for (const auto& [way, what] : kWays) {
    const auto count = std::count(plan.changes.ways.begin(), plan.changes.ways.end(), way);
    if (count > 0) parts.push_back(fmt::format("{} {}", grouped(static_cast<std::uint64_t>(count)), what));
  }
  const std::size_t untouched = plan.shards.size() - plan.changes.ways.size();
  if (untouched > 0) parts.push_back(fmt::format("{} untouched", grouped(untouched)));
  return fmt::format("{}", fmt::join(parts, ", "));
}

bool writes_index(const InPlacePlan& plan) {
  return std::any_of(plan.changes.texts.begin(), plan.changes.texts.end(),
                     [&](const TextChange& text) { return text.name == plan.prepared.plan.index_name; });
}

void write_common(json::Writer& out, const InPlacePlan& plan, const std::string& path) {
  out.key("in_place").boolean(true);
  out.key("source").string(path_text(path));
  out.key("shards").begin_array();
  for (const InPlaceShard& shard : plan.shards) {
    out.begin_object().key("file").string(path_text(shard.name)).key("size").number(shard.size);
    out.key("way").string(shard.way ? name(*shard.way) : "none");
    out.key("old_header_size").number(shard.old_header - 8);
    out.key("header_size").number(shard.new_header - 8).end_object();
  }
  out.end_array().key("index");
  writes_index(plan) ? out.string(*plan.prepared.plan.index_name) : out.null();
  out.key("receipt");
  !plan.receipt.empty() ? out.string(path_text(plan.receipt_name)) : out.null();
  write_rewritten(out, plan.prepared.plan.rewritten);
  out.key("tensors").number(plan.tensors).key("renamed").number(plan.changed);
  out.key("used").begin_array();
  for (const bool flag : plan.used) out.boolean(flag);
  out.end_array();
}

std::string untouched_text(const InPlacePlan& plan, const std::string& path, const Style& style) {
  return style.bold(fmt::format("{} is as it should be", printable(path))) +
         fmt::format(": no key of {} changes, so nothing was written\n", counted(plan.tensors, "tensor"));
}

std::string result_lines(const InPlacePlan& plan) {
  std::string out = line("renamed", fmt::format("{} of {}, by transforms: {}", grouped(plan.changed),
                                                counted(plan.tensors, "tensor"), transforms_line(plan.used)));
  out += line("headers", ways_line(plan));
  if (writes_index(plan)) out += line("index", printable(*plan.prepared.plan.index_name));
  out += rewritten_text(plan.prepared.plan.rewritten);
  out += line("receipt", printable(plan.receipt_name) + ", without digests: no tensor is read");
  return out;
}

}  // namespace

std::string in_place_plan_text(const InPlacePlan& plan, const std::string& path, const Style& style) {
  if (!plan.has_changes()) return untouched_text(plan, path, style);
  std::string out = style.bold(fmt::format("plan: {}, in place", printable(path))) + '\n';
  std::size_t widest = 0;
  for (const InPlaceShard& shard : plan.shards) widest = std::max(widest, columns(printable(shard.name)));
  for (const InPlaceShard& shard : plan.shards) {
    const std::string name = printable(shard.name);
    out += fmt::format("  {}{}  {}: {}\n", name, std::string(widest - columns(name), ' '),
                       style.size(human_bytes(shard.size)), header_line(shard));
  }
  out += '\n' + result_lines(plan);
  out += line("space", style.size(human_bytes(plan.changes.needed_bytes)) + " needed for a while");
  return out + "Nothing was written.\n";
}

std::string in_place_plan_json(const InPlacePlan& plan, const std::string& path) {
  json::Writer out;
  out.begin_object().key("schema").string("keyshift-plan/1");
  write_common(out, plan, path);
  out.key("keys").begin_array();
  for (const KeyTable::Row& row : plan.prepared.keys->rows())
    out.begin_object().key("from").string(row.from).key("to").string(row.to).end_object();
  out.end_array().key("needed_bytes").number(plan.changes.needed_bytes).end_object();
  return std::move(out.text()) + '\n';
}

std::string in_place_result_text(const InPlacePlan& plan, const std::string& path, const Style& style) {
  if (!plan.has_changes()) return untouched_text(plan, path, style);
  return style.bold(fmt::format("converted {}, in place", printable(path))) + '\n' + result_lines(plan);
}

std::string in_place_result_json(const InPlacePlan& plan, const std::string& path, double seconds) {
  json::Writer out;
  out.begin_object().key("schema").string("keyshift-convert/1");
  write_common(out, plan, path);
  out.key("seconds").number(seconds).end_object();
  return std::move(out.text()) + '\n';
}

}  // namespace keyshift::tools
