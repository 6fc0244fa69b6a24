#include <fmt/format.h>

#include <map>

#include "base/json_writer.h"
#include "tools/commands/diff.h"

namespace keyshift::tools {

namespace {

constexpr std::size_t kShown = 20;  // rows of each kind

// `text` with its numbers taken out: what rows that belong together have in common.
std::string without_numbers(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit)
      out += c;
    else if (out.empty() || out.back() != '#')
      out += '#';
  }
  return out;
}

std::string shape_text(const TensorInfo& tensor) {
  return fmt::format("{} [{}]", name(tensor.dtype), fmt::join(tensor.shape, ", "));
}

std::string change_text(const DiffEntry& entry) {
  if (!entry.bytes)
    return fmt::format("is {}, was {}", shape_text(*entry.b.tensor), shape_text(*entry.a.tensor));
  return fmt::format("{} of {} bytes differ, the first at byte {}", grouped(entry.bytes->count),
                     grouped(entry.a.tensor->size()), grouped(entry.bytes->first));
}

std::string row_text(const DiffEntry& entry) {
  switch (entry.kind) {
    case DiffKind::renamed:
      return fmt::format("{} → {}", printable(entry.a.tensor->key), printable(entry.b.tensor->key));
    case DiffKind::moved:
      return fmt::format("{} → {}: {}", printable(entry.a.shard->name()), printable(entry.b.shard->name()),
                         printable(entry.b.tensor->key));
    case DiffKind::changed:
      return fmt::format("{}: {}", printable(entry.b.tensor->key), change_text(entry));
    case DiffKind::extra:
      return fmt::format("{}: {} in {}", printable(entry.b.tensor->key), shape_text(*entry.b.tensor),
                         printable(entry.b.shard->name()));
    default:
      return fmt::format("{}: {} in {}", printable(entry.a.tensor->key), shape_text(*entry.a.tensor),
                         printable(entry.a.shard->name()));
  }
}

// Rows that differ in their numbers only are one; for what moved, those between two shards.
std::string group_of(const DiffEntry& entry) {
  if (entry.kind == DiffKind::moved) return entry.a.shard->name() + '\n' + entry.b.shard->name();
  if (entry.kind == DiffKind::changed && entry.bytes) return row_text(entry);
  return without_numbers(row_text(entry));
}

std::string rows_of(const Diff& diff, DiffKind kind, const Style& style) {
  std::vector<std::pair<const DiffEntry*, std::size_t>> rows;  // the first of a group, and how many
  std::map<std::string, std::size_t> groups;
  for (const DiffEntry& entry : diff.entries) {
    if (entry.kind != kind) continue;
    const auto [group, is_new] = groups.emplace(group_of(entry), rows.size());
    if (is_new) rows.emplace_back(&entry, 0);
    rows[group->second].second += 1;
  }
  std::string out;
  for (std::size_t i = 0; i < std::min(rows.size(), kShown); ++i) {
    const auto& [entry, count] = rows[i];
    const std::string label = fmt::format("{:<9}", name(kind));
    const bool grave = kind != DiffKind::renamed && kind != DiffKind::moved;
    out += fmt::format("  {}{}{}\n", grave ? style.bad(label) : style.bold(label), row_text(*entry),
                       count > 1 ? style.dim(fmt::format(" … and {} like it", grouped(count - 1))) : "");
  }
  if (rows.size() > kShown)
    out += fmt::format("  … and {} more rows (--json tells all)\n", grouped(rows.size() - kShown));
  return out;
}

constexpr DiffKind kKinds[] = {DiffKind::same,    DiffKind::renamed, DiffKind::moved,
                               DiffKind::changed, DiffKind::missing, DiffKind::extra};

void place_json(json::Writer& out, std::string_view side, const TensorPlace& place) {
  if (!place) return;
  out.key(side).begin_object().key("key").string(place.tensor->key);
  out.key("shard").string(path_text(place.shard->name())).key("dtype").string(name(place.tensor->dtype));
  out.key("shape").begin_array();
  for (const std::uint64_t size : place.tensor->shape) out.number(size);
  out.end_array().end_object();
}

void entry_json(json::Writer& out, const DiffEntry& entry) {
  out.begin_object().key("kind").string(name(entry.kind));
  place_json(out, "a", entry.a);
  if (entry.a) out.key("expected").string(entry.expected);
  place_json(out, "b", entry.b);
  if (entry.bytes) out.key("bytes_differ").number(entry.bytes->count).key("first").number(entry.bytes->first);
  out.end_object();
}

}  // namespace

std::string diff_text(const Diff& diff, const std::string& a, const std::string& b, const Style& style) {
  std::vector<std::string> counts;
  for (const DiffKind kind : kKinds) {
    if (diff.count(kind) != 0) counts.push_back(fmt::format("{} {}", grouped(diff.count(kind)), name(kind)));
  }
  if (counts.empty()) counts.emplace_back("no tensors");
  const bool same = diff.same();
  std::string out =
      style.bold(fmt::format("{} and {} {}:", printable(a), printable(b), same ? "are the same" : "differ")) +
      fmt::format(" {}\n", fmt::join(counts, ", "));
  for (const DiffKind kind : kKinds)
    if (kind != DiffKind::same) out += rows_of(diff, kind, style);
  for (std::size_t i = 0; i < std::min(diff.notes.size(), kShown); ++i) {
    const DiffNote& note = diff.notes[i];
    out += fmt::format("  {}{}: {}\n", style.bad(fmt::format("{:<9}", note.what)), printable(note.file),
                       note.message);
  }
  if (diff.notes.size() > kShown)
    out += fmt::format("  … and {} more rows (--json tells all)\n", grouped(diff.notes.size() - kShown));
  return out;
}

std::string diff_json(const Diff& diff) {
  json::Writer out;
  out.begin_object().key("schema").string("keyshift-diff/1").key("same").boolean(diff.same());
  out.key("counts").begin_object();
  for (const DiffKind kind : kKinds) out.key(name(kind)).number(diff.count(kind));
  out.end_object().key("tensors").begin_array();
  for (const DiffEntry& entry : diff.entries)
    if (entry.kind != DiffKind::same) entry_json(out, entry);
  out.end_array().key("notes").begin_array();
  for (const DiffNote& note : diff.notes) {
    out.begin_object().key("what").string(note.what).key("file").string(path_text(note.file));
    out.key("message").string(path_text(note.message)).end_object();
  }
  out.end_array().end_object();
  return std::move(out.text()) + '\n';
}

}  // namespace keyshift::tools
