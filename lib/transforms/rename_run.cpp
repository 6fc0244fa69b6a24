#include "transforms/rename_run.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

namespace keyshift {

struct RenameRun::State {
  explicit State(const TransformTrie& trie)
      : plain(trie.renaming()), stateful(trie.renaming().is_stateful()) {}

  std::uint32_t rename_one(std::string_view key, std::string& result) {
    RenameOutcome outcome;
    result = plain.rename(key, &outcome);
    return pool->intern(std::move(outcome));
  }

  PlainRun plain;
  bool stateful;
  std::shared_ptr<OutcomePool> pool = std::make_shared<OutcomePool>();
};

RenameRun::RenameRun(const TransformTrie& trie) : state_(std::make_unique<State>(trie)) {}
RenameRun::~RenameRun() = default;
RenameRun::RenameRun(RenameRun&&) noexcept = default;
RenameRun& RenameRun::operator=(RenameRun&&) noexcept = default;

void RenameRun::rename(std::span<const std::string_view> keys, RenamedKeys& out) {
  std::vector<std::size_t> order(keys.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (state_->stateful) {
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return dot_natural_less(keys[a], keys[b]); });
  }
  std::vector<std::pair<std::string, std::uint32_t>> results(keys.size());
  for (const std::size_t i : order) results[i].second = state_->rename_one(keys[i], results[i].first);

  const std::uint32_t base = out.begin_pool(state_->pool);
  out.reserve_keys(keys.size());
  for (const auto& [key, outcome] : results) {
    out.reserve_text(key.size());
    out.append(key, base + outcome);
  }
  out.end_pool();
}

std::vector<bool> RenameRun::used() const { return state_->plain.used(); }
std::size_t RenameRun::shapes() const noexcept { return state_->pool->size(); }

}  // namespace keyshift
