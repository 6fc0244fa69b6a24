#include "plan/key_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "format/key_index.h"
#include "format/seen_hashes.h"

namespace keyshift {

namespace {

const std::string& file_of(const KeyTable& table, const KeyTable::Row& row) {
  return table.checkpoint().shards()[row.shard].name();
}

void refuse_collision(const KeyTable& table, const Collision& collision, std::size_t more) {
  const KeyTable::Row first = table.row(collision.first), second = table.row(collision.second);
  std::string message = fmt::format("{} (in {}) and {} (in {}) would both become {}", quote(first.from),
                                    quote(file_of(table, first)), quote(second.from),
                                    quote(file_of(table, second)), quote(second.to));
  if (more > 0) message += fmt::format(", and so would {} more pair{} collide", more, more == 1 ? "" : "s");
  throw Error(ErrorKind::collision,
              message + "; change the transforms so that every key keeps a name of its own")
      .for_key(second.to);
}

void refuse_unwritable(const KeyTable& table, const KeyTable::Row& row, ErrorKind kind,
                       std::string_view what) {
  throw Error(kind, fmt::format("would be renamed to {}, which {}", quote(row.to), what))
      .in(table.checkpoint().shards()[row.shard].file().path().string())
      .for_key(row.from);
}

// Whether there may be collisions at all: rarely, and then the keys themselves are compared.
bool some_hash_repeats(std::span<const std::string_view> keys) {
  std::vector<std::uint64_t> hashes;
  hashes.reserve(keys.size());
  for (const std::string_view key : keys) hashes.push_back(hash_of_key(key));
  return some_repeat(hashes);
}

}  // namespace

std::vector<Collision> find_collisions(std::span<const std::string_view> new_keys) {
  std::vector<Collision> collisions;
  if (!some_hash_repeats(new_keys)) return collisions;
  KeyIndex seen(new_keys.size());
  std::vector<std::size_t> first;  // by the number of a key in `seen`
  for (std::size_t i = 0; i < new_keys.size(); ++i) {
    const std::uint32_t number = seen.insert(new_keys[i]);
    if (number == first.size()) {
      first.push_back(i);
    } else {
      collisions.push_back({first[number], i});
    }
  }
  return collisions;
}

KeyTable::KeyTable(const Checkpoint& checkpoint) : checkpoint_(&checkpoint) {
  shard_of_.reserve(checkpoint.tensor_count());
  for (std::uint32_t shard = 0; shard < checkpoint.shards().size(); ++shard) {
    first_rows_.push_back(shard_of_.size());
    shard_of_.insert(shard_of_.end(), checkpoint.shards()[shard].header().tensors().size(), shard);
  }
}

KeyTable KeyTable::rename(const Checkpoint& checkpoint, const TransformTrie& trie, const Subset& subset) {
  KeyTable table(checkpoint);
  table.rename_rows(trie, [&](std::size_t row) -> std::optional<std::string_view> {
    const std::string_view key = table.tensor(row).key;
    if (!subset.keeps(key)) return std::nullopt;
    return key;
  });
  return table;
}

KeyTable KeyTable::renamed_again(const TransformTrie& trie) const {
  KeyTable table(*checkpoint_);
  table.rename_rows(trie, [&](std::size_t number) -> std::optional<std::string_view> {
    const Row now = row(number);
    if (now.dropped) return std::nullopt;
    return now.to;
  });
  return table;
}

// What is dropped already is not renamed: no transform counts as used for its sake.
void KeyTable::rename_rows(const TransformTrie& trie,
                           function_ref<std::optional<std::string_view>(std::size_t)> name_of) {
  renamed_ = std::make_unique<RenamedKeys>();
  run_ = std::make_unique<RenameRun>(trie);
  // A few at a time stay in the cache; but where keys change how others are renamed, all must come at once.
  constexpr std::size_t kAtATime = 4096;
  const std::size_t most = trie.renaming().is_stateful() ? size() : std::min(size(), kAtATime);
  constexpr std::size_t kExpected = 64;  // bytes of a key
  renamed_->reserve_keys(size());
  renamed_->reserve_text(kExpected * size());
  std::vector<std::string_view> keys;
  keys.reserve(most);
  std::size_t count = 0;
  for (std::size_t row = 0; row < size(); ++row) {
    const std::optional<std::string_view> name = name_of(row);
    if (numbers_.empty() && !name) {
      numbers_.reserve(size());
      for (std::size_t before = 0; before < row; ++before)
        numbers_.push_back(static_cast<std::uint32_t>(before));
    }
    if (!numbers_.empty() || !name) numbers_.push_back(name ? static_cast<std::uint32_t>(count) : kDropped);
    if (!name) continue;
    ++count;
    keys.push_back(*name);
    if (keys.size() < most) continue;
    run_->rename(keys, *renamed_);
    keys.clear();
  }
  run_->rename(keys, *renamed_);
  used_ = run_->used();
  drops_ = count < size();
  for (std::size_t i = 0; i < count && !drops_; ++i) drops_ = renamed_->outcome(i).dropped;
}

KeyTable::Row KeyTable::row(std::size_t i) const noexcept {
  const std::uint32_t shard = shard_of_[i];
  return {shard, static_cast<std::uint32_t>(i - first_rows_[shard]), tensor(i).key, new_key(i),
          is_dropped(i)};
}

std::size_t KeyTable::shapes() const noexcept { return run_->shapes(); }

std::size_t KeyTable::kept() const noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(rows(), [](const Row& row) { return !row.dropped; }));
}

std::size_t KeyTable::changed() const noexcept {
  return static_cast<std::size_t>(
      std::ranges::count_if(rows(), [](const Row& row) { return !row.dropped && row.from != row.to; }));
}

void KeyTable::check() const {
  std::vector<std::uint64_t> hashes;
  hashes.reserve(size());
  for (std::size_t i = 0; i < size(); ++i) {
    const Row row = this->row(i);
    if (row.dropped) continue;
    check_row(row, outcome(i));
    hashes.push_back(hash_of_key(row.to));
  }
  if (some_repeat(hashes)) check_collisions();
}

void KeyTable::check_row(const Row& row, const RenameOutcome& outcome) const {
  if (const auto& converter = outcome.converter) {
    throw Error(
        ErrorKind::operation_unsupported,
        fmt::format("matches the WeightConverter with source pattern {}, which changes tensors; this version "
                    "renames only: use a list without it, or convert this model with transformers",
                    quote(*converter)))
        .in(checkpoint_->shards()[row.shard].file().path().string())
        .for_key(row.from);
  }
  if (row.to == row.from) return;
  if (row.to.empty())
    refuse_unwritable(*this, row, ErrorKind::key_empty, "names nothing; change the transforms");
  if (row.to == kMetadataKey) {
    refuse_unwritable(*this, row, ErrorKind::key_reserved,
                      "the format keeps for its own metadata; change the transforms");
  }
}

void KeyTable::check_collisions() const {
  std::vector<std::string_view> new_keys;
  std::vector<std::size_t> row_of;  // of a new key
  for (std::size_t i = 0; i < size(); ++i) {
    const Row row = this->row(i);
    if (row.dropped) continue;
    new_keys.push_back(row.to);
    row_of.push_back(i);
  }
  std::vector<Collision> collisions = find_collisions(new_keys);
  for (Collision& collision : collisions) collision = {row_of[collision.first], row_of[collision.second]};
  // One key in two shards with the same bytes was accepted (F27), and keeps being one key.
  std::erase_if(collisions, [this](const Collision& c) { return row(c.first).from == row(c.second).from; });
  if (!collisions.empty()) refuse_collision(*this, collisions.front(), collisions.size() - 1);
}

}  // namespace keyshift
