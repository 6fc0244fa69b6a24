#include "format/key_lint.h"

#include <fmt/format.h>

#include <map>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "format/key_index.h"
#include "format/shard_checks.h"

namespace keyshift {

namespace {

class KeyLint {
 public:
  KeyLint(const std::vector<Shard>& shards, std::vector<CheckpointFinding>& findings)
      : shards_(shards), findings_(findings) {}

  void collect() {
    for (std::uint32_t s = 0; s < shards_.size(); ++s) {
      for (const TensorInfo& tensor : shards_[s].header().tensors()) {
        const std::uint32_t known = keys_.size();
        const std::uint32_t number = keys_.insert(tensor.key);
        if (number == known) {
          places_.push_back({s, &tensor});
        } else {
          meet_again(places_[number], {s, &tensor});
        }
      }
    }
  }

  void compare_with(const Index& index, const std::string& index_name, const NameSet& unreadable) {
    std::vector<bool> listed(keys_.size());
    for (const auto& [key, shard] : index.weight_map) {
      const std::uint32_t number = keys_.find(key);
      if (number != KeyIndex::kNone) {
        listed[number] = true;
        const std::string& actual = shards_[places_[number].shard].name();
        if (actual == shard) continue;
        add(CheckpointFault::key_elsewhere, index_name, shard, key,
            fmt::format("promised in {}, and lies in {}", quote(shard), quote(actual)));
      } else if (!unreadable.contains(shard)) {
        add(CheckpointFault::key_missing, index_name, shard, key,
            fmt::format("promised in {}, and no shard has it", quote(shard)));
      }
    }
    for (std::uint32_t number = 0; number < listed.size(); ++number) {
      if (listed[number]) continue;
      const std::string& shard = shards_[places_[number].shard].name();
      add(CheckpointFault::key_unlisted, shard, shard, keys_.key(number),
          "in the shard, and the index does not list it; loaders read it all the same");
    }
  }

 private:
  struct Place {
    std::uint32_t shard;
    const TensorInfo* tensor;
  };

  void meet_again(const Place& first, const Place& again) {
    const Shard& a = shards_[first.shard];
    const Shard& b = shards_[again.shard];
    const bool same = same_tensor(a, *first.tensor, b, *again.tensor);
    add(CheckpointFault::key_in_two_shards, b.name(), a.name() + (same ? "=" : "!"), again.tensor->key,
        fmt::format("in {} too, with {}", quote(a.name()),
                    same ? "the same contents" : "other contents, and loaders disagree about which counts"));
  }

  // `like`: what findings of one fault in one file must share to be one.
  void add(CheckpointFault fault, std::string_view file, std::string_view like, std::string_view key,
           std::string message) {
    const auto [at, is_new] =
        known_.try_emplace({fault, std::string(file), std::string(like)}, findings_.size());
    if (is_new) {
      findings_.push_back({fault, std::string(file), std::string(key), 1, std::move(message)});
    } else {
      ++findings_[at->second].count;
    }
  }

  const std::vector<Shard>& shards_;
  std::vector<CheckpointFinding>& findings_;
  KeyIndex keys_;
  std::vector<Place> places_;  // by the number of the key
  std::map<std::tuple<CheckpointFault, std::string, std::string>, std::size_t> known_;
};

}  // namespace

void lint_keys(const std::vector<Shard>& shards, const NameSet& unreadable, const std::optional<Index>& index,
               const std::string& index_name, std::vector<CheckpointFinding>& findings) {
  KeyLint lint(shards, findings);
  lint.collect();
  if (index) lint.compare_with(*index, index_name, unreadable);
}

}  // namespace keyshift
