#include "plan/key_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "format/key_index.h"
#include "format/seen_hashes.h"

namespace keyshift {

namespace {

const std::string& file_of(const KeyTable& table, const KeyTable::Row& row) {
  return table.checkpoint().shards()[row.shard].name();
}

void refuse_collision(const KeyTable& table, const Collision& collision, std::size_t more) {
  const KeyTable::Row& first = table.rows()[collision.first];
  const KeyTable::Row& second = table.rows()[collision.second];
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

}  // namespace

namespace {

// Whether there may be collisions at all: rarely, and then the keys themselves are compared.
bool some_hash_repeats(const std::vector<std::string_view>& keys) {
  constexpr std::size_t kBlock = 32;  // keys whose places are asked for before the first is looked at
  SeenHashes seen(keys.size());
  std::array<std::uint64_t, kBlock> hashes;
  for (std::size_t block = 0; block < keys.size(); block += kBlock) {
    const std::size_t count = std::min(kBlock, keys.size() - block);
    for (std::size_t i = 0; i < count; ++i) {
      hashes[i] = hash_of_key(keys[block + i]);
      seen.prefetch(hashes[i]);
    }
    for (std::size_t i = 0; i < count; ++i)
      if (!seen.insert(hashes[i])) return true;
  }
  return false;
}

}  // namespace

std::vector<Collision> find_collisions(const std::vector<std::string_view>& new_keys) {
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

KeyTable KeyTable::rename(const Checkpoint& checkpoint, const TransformTrie& trie, const Subset& subset) {
  std::vector<Row> rows;
  rows.reserve(checkpoint.tensor_count());
  for (std::uint32_t shard = 0; shard < checkpoint.shards().size(); ++shard) {
    std::uint32_t tensor = 0;
    for (const TensorInfo& info : checkpoint.shards()[shard].header().tensors()) {
      rows.push_back({shard, tensor++, info.key, info.key, !subset.keeps(info.key)});
    }
  }
  return run(checkpoint, std::move(rows), trie);
}

KeyTable KeyTable::renamed_again(const TransformTrie& trie) const { return run(*checkpoint_, rows_, trie); }

// Every row's `to` is what it is called now. What is dropped already is not renamed: no transform counts as
// used for its sake.
KeyTable KeyTable::run(const Checkpoint& checkpoint, std::vector<Row> rows, const TransformTrie& trie) {
  KeyTable table;
  table.checkpoint_ = &checkpoint;
  table.rows_ = std::move(rows);
  table.renamed_ = std::make_unique<RenamedKeys>();
  table.run_ = std::make_unique<RenameRun>(trie);
  std::vector<std::string_view> keys;
  keys.reserve(table.rows_.size());
  table.numbers_.reserve(table.rows_.size());
  for (const Row& row : table.rows_) {
    table.numbers_.push_back(static_cast<std::uint32_t>(keys.size()));
    if (!row.dropped) keys.push_back(row.to);
  }
  table.run_->rename(keys, *table.renamed_);
  for (std::size_t i = 0; i < table.rows_.size(); ++i) {
    Row& row = table.rows_[i];
    if (row.dropped) continue;
    row.dropped = table.outcome(i).dropped;
    if (!row.dropped) row.to = (*table.renamed_)[table.numbers_[i]];
  }
  table.used_ = table.run_->used();
  return table;
}

std::size_t KeyTable::shapes() const noexcept { return run_->shapes(); }

std::size_t KeyTable::kept() const noexcept {
  return static_cast<std::size_t>(
      std::count_if(rows_.begin(), rows_.end(), [](const Row& row) { return !row.dropped; }));
}

std::size_t KeyTable::changed() const noexcept {
  return static_cast<std::size_t>(std::count_if(
      rows_.begin(), rows_.end(), [](const Row& row) { return !row.dropped && row.from != row.to; }));
}

void KeyTable::check() const {
  std::vector<std::string_view> new_keys;
  std::vector<std::size_t> row_of;  // of a new key
  new_keys.reserve(rows_.size());
  row_of.reserve(rows_.size());
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const Row& row = rows_[i];
    if (row.dropped) continue;
    new_keys.push_back(row.to);
    row_of.push_back(i);
    if (const auto& converter = outcome(i).converter) {
      throw Error(
          ErrorKind::operation_unsupported,
          fmt::format(
              "matches the WeightConverter with source pattern {}, which changes tensors; this version "
              "renames only: use a list without it, or convert this model with transformers",
              quote(*converter)))
          .in(checkpoint_->shards()[row.shard].file().path().string())
          .for_key(row.from);
    }
    if (row.to == row.from) continue;
    if (row.to.empty())
      refuse_unwritable(*this, row, ErrorKind::key_empty, "names nothing; change the transforms");
    if (row.to == kMetadataKey) {
      refuse_unwritable(*this, row, ErrorKind::key_reserved,
                        "the format keeps for its own metadata; change the transforms");
    }
  }
  std::vector<Collision> collisions = find_collisions(new_keys);
  for (Collision& collision : collisions) collision = {row_of[collision.first], row_of[collision.second]};
  // One key in two shards with the same bytes was accepted (F27), and keeps being one key.
  std::erase_if(collisions,
                [this](const Collision& c) { return rows_[c.first].from == rows_[c.second].from; });
  if (!collisions.empty()) refuse_collision(*this, collisions.front(), collisions.size() - 1);
}

}  // namespace keyshift
