#include "format/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/parallel.h"
#include "format/find_checkpoint.h"
#include "format/index_match.h"
#include "format/key_index.h"
#include "format/seen_hashes.h"
#include "format/shard_checks.h"

namespace keyshift {

namespace {

std::vector<Shard> open_shards(const CheckpointPlace& place, const OpenOptions& options) {
  std::vector<std::optional<Shard>> opened(place.shard_names.size());
  for_each_parallel(opened.size(), options.jobs, [&](std::size_t i) {
    opened[i] = Shard::open(place.folder / place.shard_names[i], place.shard_names[i], options.access);
  });
  std::vector<Shard> shards;
  shards.reserve(opened.size());
  for (auto& shard : opened) shards.push_back(std::move(*shard));
  return shards;
}

// " (23 such keys)" where it is not the only one.
std::string such_keys(std::size_t count) { return count > 1 ? fmt::format(" ({} such keys)", count) : ""; }

bool keys_may_repeat(const std::vector<Shard>& shards) {
  if (shards.size() == 1) return false;
  std::vector<std::uint64_t> hashes;
  for (const Shard& shard : shards) {
    const std::span<const std::uint64_t> of_shard = shard.header().key_hashes();
    hashes.insert(hashes.end(), of_shard.begin(), of_shard.end());
  }
  return some_repeat(hashes);
}

/// All keys of all shards against one another and against the index.
class KeyCheck {
 public:
  KeyCheck(const std::vector<Shard>& shards, bool tolerate, std::vector<std::string>& warnings)
      : shards_(shards), tolerate_(tolerate), warnings_(warnings), keys_(count(shards)) {
    places_.reserve(count(shards));
  }

  void collect() {
    for (std::uint32_t s = 0; s < shards_.size(); ++s) {
      const std::span<const std::uint64_t> hashes = shards_[s].header().key_hashes();
      for (std::size_t i = 0; i < hashes.size(); ++i) {
        if (i + KeyIndex::kAhead < hashes.size()) keys_.prefetch(hashes[i + KeyIndex::kAhead]);
        const TensorInfo& tensor = shards_[s].header().tensors()[i];
        const std::uint32_t known = keys_.size();
        const std::uint32_t number = keys_.insert(tensor.key, hashes[i]);
        if (number == known) {
          places_.push_back({s, &tensor});
        } else {
          meet_again(places_[number], {s, &tensor});
        }
      }
    }
    if (repeated_ > 1)
      warnings_.push_back(fmt::format("{} keys in all are in more than one shard", repeated_));
  }

  void compare_with(const Index& index, const std::string& index_file, const std::string& index_name) {
    std::vector<bool> listed(keys_.size());
    std::size_t absent = 0, elsewhere = 0;
    const WeightMap::Entry* first_absent = nullptr;
    const WeightMap::Entry* first_elsewhere = nullptr;
    std::uint32_t next = 0;
    for (const WeightMap::Entry& entry : index.weight_map) {
      // Both list most keys in the same order.
      const bool as_expected = next < keys_.size() && keys_.key(next) == entry.first;
      const std::uint32_t number = as_expected ? next : keys_.find(entry.first);
      if (number == KeyIndex::kNone) {
        if (absent++ == 0) first_absent = &entry;
        continue;
      }
      next = number + 1;
      listed[number] = true;
      if (shards_[places_[number].shard].name() != entry.second && elsewhere++ == 0) first_elsewhere = &entry;
    }
    if (first_absent != nullptr) meet_absent(*first_absent, absent, index_file, index_name);
    if (first_elsewhere != nullptr) {
      const std::string& actual = shards_[places_[keys_.find(first_elsewhere->first)].shard].name();
      warnings_.push_back(fmt::format("{}: {} is in {}, not in {}{}; the shards decide", index_name,
                                      quote(first_elsewhere->first), quote(actual),
                                      quote(first_elsewhere->second), such_keys(elsewhere)));
    }
    warn_of_unlisted(listed, index_name);
  }

 private:
  struct Place {
    std::uint32_t shard;
    const TensorInfo* tensor;
  };

  static std::size_t count(const std::vector<Shard>& shards) {
    std::size_t sum = 0;
    for (const Shard& shard : shards) sum += shard.header().tensors().size();
    return sum;
  }

  // Loaders disagree about which of the two counts; where both are the same, that does no harm.
  void meet_again(const Place& first, const Place& again) {
    const std::string& a = shards_[first.shard].name();
    const std::string& b = shards_[again.shard].name();
    const bool same = same_tensor(shards_[first.shard], *first.tensor, shards_[again.shard], *again.tensor);
    if (!same && !tolerate_) {
      throw Error(
          ErrorKind::key_in_two_shards,
          fmt::format(
              "the key is in {} too, with other contents, and loaders disagree about which of the two "
              "counts: remove the shard that is stale",
              quote(a)))
          .in(shards_[again.shard].file().path().string())
          .at(again.tensor->text_offset)
          .for_key(again.tensor->key);
    }
    if (repeated_++ == 0 || !same) {
      warnings_.push_back(fmt::format("{} is in {} and in {}, {}", quote(again.tensor->key), quote(a),
                                      quote(b), same ? "with the same contents" : "with different contents"));
    }
  }

  void meet_absent(const WeightMap::Entry& entry, std::size_t count, const std::string& index_file,
                   const std::string& index_name) {
    const std::string others = such_keys(count);
    if (tolerate_) {
      warnings_.push_back(fmt::format("{}: {} is promised in {}, and no shard has it{}", index_name,
                                      quote(entry.first), quote(entry.second), others));
      return;
    }
    throw Error(
        ErrorKind::index_mismatch,
        fmt::format(
            "the index promises the key in {}, and no shard has it{}: a shard is stale or of another "
            "model; fetch the shards again, or write the index that they deserve with `keyshift reindex`",
            quote(entry.second), others))
        .in(index_file)
        .for_key(entry.first);
  }

  void warn_of_unlisted(const std::vector<bool>& listed, const std::string& index_name) {
    const auto unlisted = static_cast<std::size_t>(std::count(listed.begin(), listed.end(), false));
    if (unlisted == 0) return;
    const auto number =
        static_cast<std::uint32_t>(std::find(listed.begin(), listed.end(), false) - listed.begin());
    warnings_.push_back(fmt::format("{}: {} in {} is not listed{}; loaders read it all the same", index_name,
                                    quote(keys_.key(number)), quote(shards_[places_[number].shard].name()),
                                    such_keys(unlisted)));
  }

  const std::vector<Shard>& shards_;
  bool tolerate_;
  std::vector<std::string>& warnings_;
  KeyIndex keys_;
  std::vector<Place> places_;  // by the number of the key
  std::size_t repeated_ = 0;
};

}  // namespace

Checkpoint Checkpoint::open(const std::filesystem::path& path, const OpenOptions& options) {
  FoundCheckpoint found = locate_checkpoint(path, options);
  Checkpoint checkpoint;
  checkpoint.place_ = std::move(found.place);
  checkpoint.index_ = std::move(found.index);
  checkpoint.index_text_ = std::move(found.index_text);
  checkpoint.warnings_ = checkpoint.place_.warnings;
  checkpoint.shards_ = open_shards(checkpoint.place_, options);
  for (const Shard& shard : checkpoint.shards_) {
    for (const std::string& odd : oddities(shard)) {
      checkpoint.warnings_.push_back(fmt::format("{}: {}", shard.name(), odd));
    }
  }

  if (checkpoint.index_)
    checkpoint.listed_order_ = match_index(*checkpoint.index_, checkpoint.shards_, options.jobs);
  // What is not as plain as that is looked at closely.
  if (checkpoint.index_ ? checkpoint.listed_order_.empty() : keys_may_repeat(checkpoint.shards_)) {
    KeyCheck keys(checkpoint.shards_, options.tolerate_index_mismatch, checkpoint.warnings_);
    keys.collect();
    if (checkpoint.index_) {
      const std::string& name = *checkpoint.place_.index_name;
      keys.compare_with(*checkpoint.index_, (checkpoint.place_.folder / name).string(), name);
    }
  }
  if (checkpoint.index_) {
    const std::string& name = *checkpoint.place_.index_name;
    const std::optional<std::uint64_t> claimed = checkpoint.index_->total_size;
    if (claimed && *claimed != checkpoint.total_size()) {
      checkpoint.warnings_.push_back(
          fmt::format("{}: metadata.total_size is {}, and the tensors have {} bytes", name, *claimed,
                      checkpoint.total_size()));
    }
  }
  return checkpoint;
}

std::uint64_t Checkpoint::tensor_count() const noexcept {
  std::uint64_t count = 0;
  for (const Shard& shard : shards_) count += shard.header().tensors().size();
  return count;
}

std::uint64_t Checkpoint::total_size() const noexcept {
  std::uint64_t size = 0;
  for (const Shard& shard : shards_) size += shard.header().data_size();
  return size;
}

}  // namespace keyshift
