#include "compare/diff.h"

#include <algorithm>
#include <numeric>

namespace keyshift {

namespace {

// The name that each tensor of A should have in B, in the order of places_of(a).
std::vector<std::string> expected_names(const std::vector<TensorPlace>& places, const Renaming& renaming) {
  std::vector<std::size_t> order(places.size());
  std::iota(order.begin(), order.end(), 0);
  if (renaming.is_stateful()) {
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return dot_natural_less(places[a].tensor->key, places[b].tensor->key);
    });
  }
  PlainRun run(renaming);
  std::vector<std::string> names(places.size());
  for (const std::size_t i : order) names[i] = run.rename(places[i].tensor->key);
  return names;
}

// A revision names a snapshot in A's hub cache.
OpenOptions for_b(OpenOptions open) {
  open.revision.clear();
  return open;
}

DiffKind kind_of(const ContentMatch& match, bool shards_matter) {
  switch (match.kind) {
    case ContentMatch::Kind::same:
      return shards_matter && match.a.shard->name() != match.b.shard->name() ? DiffKind::moved
                                                                             : DiffKind::same;
    case ContentMatch::Kind::renamed:
      return DiffKind::renamed;
    case ContentMatch::Kind::changed:
      return DiffKind::changed;
    case ContentMatch::Kind::missing:
      return DiffKind::missing;
    case ContentMatch::Kind::extra:
      return DiffKind::extra;
  }
  return DiffKind::same;
}

}  // namespace

std::string_view name(DiffKind kind) noexcept {
  switch (kind) {
    case DiffKind::same:
      return "same";
    case DiffKind::renamed:
      return "renamed";
    case DiffKind::moved:
      return "moved";
    case DiffKind::changed:
      return "changed";
    case DiffKind::missing:
      return "missing";
    case DiffKind::extra:
      return "extra";
  }
  return "";
}

std::uint64_t Diff::count(DiffKind kind) const noexcept {
  return static_cast<std::uint64_t>(
      std::count_if(entries.begin(), entries.end(), [&](const DiffEntry& e) { return e.kind == kind; }));
}

Diff diff(const DiffRequest& request, const std::function<void(std::uint64_t)>& begin,
          const std::function<void(std::uint64_t)>& advance, const Interrupt& interrupt) {
  Diff result;
  result.a = std::make_unique<Checkpoint>(Checkpoint::open(request.a, request.open));
  result.b = std::make_unique<Checkpoint>(Checkpoint::open(request.b, for_b(request.open)));
  const Renaming renaming(request.transforms, request.renaming);
  std::vector<std::string> expected = expected_names(places_of(*result.a), renaming);

  begin(result.a->total_size() + result.b->total_size());
  const std::vector<ContentMatch> matches =
      match_contents({*result.a, *result.b, expected, request.jobs}, advance, interrupt);

  // One file each: its name is no place to move to.
  const bool shards_matter = result.a->shards().size() > 1 || result.b->shards().size() > 1;
  result.entries.reserve(matches.size());
  for (std::size_t i = 0; i < matches.size(); ++i) {
    result.entries.push_back({kind_of(matches[i], shards_matter), matches[i].a, matches[i].b,
                              i < expected.size() ? std::move(expected[i]) : std::string(),
                              matches[i].bytes});
  }
  result.notes = diff_metadata(*result.a, *result.b);
  const std::vector<DiffNote> of_indexes = diff_indexes(*result.a, *result.b);
  result.notes.insert(result.notes.end(), of_indexes.begin(), of_indexes.end());
  return result;
}

}  // namespace keyshift
