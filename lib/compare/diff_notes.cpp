// What stands beside the tensors: __metadata__ of the shards, and the index.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/json_writer.h"
#include "compare/diff.h"

namespace keyshift {

namespace {

using Entries = std::map<std::string, std::string>;

std::optional<Entries> entries_of(const Shard& shard) {
  const auto& metadata = shard.header().metadata();
  if (!metadata) return std::nullopt;
  return Entries(metadata->begin(), metadata->end());
}

// One sentence for each entry that differs. `what`: "__metadata__" or "metadata".
void compare_entries(const std::optional<Entries>& a, const std::optional<Entries>& b, std::string_view what,
                     const std::function<void(std::string)>& tell) {
  if (a.has_value() != b.has_value()) return tell(fmt::format("{} is only in {}", what, a ? "A" : "B"));
  if (!a) return;
  std::set<std::string> names;
  for (const auto& [name, value] : *a) names.insert(name);
  for (const auto& [name, value] : *b) names.insert(name);
  for (const std::string& name : names) {
    const auto was = a->find(name), is = b->find(name);
    if (is == b->end()) {
      tell(fmt::format("{} {} is {} in A and missing in B", what, quote(name), quote(was->second)));
    } else if (was == a->end()) {
      tell(fmt::format("{} {} is missing in A and {} in B", what, quote(name), quote(is->second)));
    } else if (was->second != is->second) {
      tell(fmt::format("{} {} is {} in A and {} in B", what, quote(name), quote(was->second),
                       quote(is->second)));
    }
  }
}

// The shard of the other checkpoint that this one is held against: of its name, else one with the same
// metadata, else the first.
const Shard& counterpart(const Shard& shard, const std::vector<Shard>& others) {
  const auto named = std::find_if(others.begin(), others.end(),
                                  [&](const Shard& other) { return other.name() == shard.name(); });
  if (named != others.end()) return *named;
  const auto alike = std::find_if(others.begin(), others.end(),
                                  [&](const Shard& other) { return entries_of(other) == entries_of(shard); });
  return alike != others.end() ? *alike : others.front();
}

// Members of the index's own metadata as text.
std::optional<Entries> entries_of(const Index& index) {
  if (index.metadata.kind != json::Kind::object) return std::nullopt;
  Entries entries;
  for (const auto& [name, value] : index.metadata.members) {
    json::Writer text;
    text.node(value);
    entries.emplace(name, text.text());
  }
  return entries;
}

// Where the index says otherwise than the shards.
std::map<std::string_view, std::string_view> wrong_entries(const Checkpoint& checkpoint) {
  std::map<std::string_view, std::string_view> wrong;
  std::map<std::string_view, std::set<std::string_view>> there;
  for (const Shard& shard : checkpoint.shards()) {
    for (const TensorInfo& tensor : shard.header().tensors()) there[tensor.key].insert(shard.name());
  }
  for (const auto& [key, shard] : checkpoint.index()->weight_map) {
    const auto found = there.find(key);
    if (found == there.end() || !found->second.contains(shard)) wrong.emplace(key, shard);
    if (found != there.end()) there.erase(found);
  }
  for (const auto& [key, shards] : there) wrong.emplace(key, std::string_view());
  return wrong;
}

void note_wrong_entries(const Checkpoint& checkpoint, std::string_view side, std::vector<DiffNote>& notes) {
  if (!checkpoint.index()) return;
  for (const auto& [key, shard] : wrong_entries(checkpoint)) {
    notes.push_back({"index", *checkpoint.place().index_name,
                     shard.empty() ? fmt::format("of {} does not list {}", side, quote(key))
                                   : fmt::format("of {} says that {} is in {}, which is not so", side,
                                                 quote(key), quote(shard))});
  }
}

}  // namespace

std::vector<DiffNote> diff_metadata(const Checkpoint& a, const Checkpoint& b) {
  std::vector<DiffNote> notes;
  if (a.shards().empty() || b.shards().empty()) return notes;
  std::set<std::string_view> compared;  // shards of B
  for (const Shard& shard : a.shards()) {
    const Shard& other = counterpart(shard, b.shards());
    compared.insert(other.name());
    compare_entries(entries_of(shard), entries_of(other), "__metadata__", [&](std::string message) {
      notes.push_back({"metadata", shard.name(), message});
    });
  }
  for (const Shard& shard : b.shards()) {
    if (compared.contains(shard.name())) continue;
    compare_entries(entries_of(counterpart(shard, a.shards())), entries_of(shard), "__metadata__",
                    [&](std::string message) {
                      notes.push_back({"metadata", shard.name(), message});
                    });
  }
  return notes;
}

std::vector<DiffNote> diff_indexes(const Checkpoint& a, const Checkpoint& b) {
  std::vector<DiffNote> notes;
  note_wrong_entries(a, "A", notes);
  note_wrong_entries(b, "B", notes);
  if (!a.index() && !b.index()) return notes;
  const std::string& file = a.index() ? *a.place().index_name : *b.place().index_name;
  if (!a.index() || !b.index()) {
    notes.push_back({"index", file, fmt::format("only {} has an index", a.index() ? "A" : "B")});
    return notes;
  }
  compare_entries(entries_of(*a.index()), entries_of(*b.index()), "metadata", [&](std::string message) {
    notes.push_back({"index", file, message});
  });
  return notes;
}

}  // namespace keyshift
