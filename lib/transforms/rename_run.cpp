#include "transforms/rename_run.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "transforms/exact_path.h"
#include "transforms/shape_kernel.h"
#include "transforms/shape_learner.h"
#include "transforms/shape_table.h"

namespace keyshift {

struct RenameRun::State final : private ShapeSource {
  explicit State(const TransformTrie& given, const ShapeKernel& chosen)
      : trie(given),
        kernel(chosen),
        exact_path(given),
        learner(given),
        armed(std::make_unique<bool[]>(given.steps().size())),
        used(given.renaming().transform_count(), false) {}

  void rename_for_target(std::span<const std::string_view> keys, RenamedKeys& result);
  /// What the transforms make of the keys, without the loader's own steps.
  void rename_by_transforms(std::span<const std::string_view> keys, RenamedKeys& result) {
    if (trie.renaming().is_stateful()) {
      rename_in_dot_natural_order(keys, result);
    } else {
      rename_in_order(keys, result);
    }
  }
  void rename_in_dot_natural_order(std::span<const std::string_view> keys, RenamedKeys& result);
  void rename_in_order(std::span<const std::string_view> keys, RenamedKeys& result) {
    out = &result;
    result.begin_pool(pool);
    result.reserve_keys(keys.size());
    result.reserve_text(64 * keys.size());  // as much as most need; memory that is not written costs nothing
    RenamedKeys::Raw raw = result.raw();
    kernel.rename(keys, table, *this, raw);
    result.give_back(raw);
    result.end_pool();
  }

  std::uint32_t learn_outcome(RenameOutcome outcome) {
    for (const std::uint32_t transform : outcome.transforms) used[transform] = true;
    return pool->intern(std::move(outcome));
  }

  const TransformTrie& trie;
  const ShapeKernel& kernel;
  ExactPath exact_path;
  ShapeLearner learner;
  ShapeTable table;
  ArmedSteps armed;  // by step
  std::vector<bool> used;
  std::shared_ptr<OutcomePool> pool = std::make_shared<OutcomePool>();
  std::size_t shapes = 0;

 private:
  const Shape* shape_of(std::string_view key, RenamedKeys::Raw& raw) override {
    if (key.size() > kLongestShape || key.find(static_cast<char>(kOpenByte)) != std::string_view::npos) {
      return write_exactly(key, raw);
    }
    PositionSet open = open_digits(key);
    while (true) {
      const Shape* shape = find_shape(table, kernel, key, open);
      if (shape == nullptr) {
        if (table.full()) return write_exactly(key, raw);
        shape = &learn(key, open);
      }
      if (shape->kind == ShapeKind::result) return shape;
      if (shape->kind == ShapeKind::exact) return write_exactly(key, raw);
    }
  }

  const Shape& learn(std::string_view key, const PositionSet& open) {
    LearnedShape learned = learner.learn(key, open, armed);
    // A shape with no digit left open would be that of a single key.
    if (learned.kind == LearnedShape::Kind::depends && (open - learned.pins).empty()) {
      learned.kind = LearnedShape::Kind::exact;
    }
    std::uint32_t outcome = 0;
    if (learned.kind == LearnedShape::Kind::result) outcome = learn_outcome(std::move(learned.outcome));
    if (learned.kind != LearnedShape::Kind::depends) ++shapes;
    return table.add(kernel.hash(key, open), key, open, learned, outcome);
  }

  /// Always nullptr: there is no shape.
  const Shape* write_exactly(std::string_view key, RenamedKeys::Raw& raw) {
    exact_key.assign(key);
    if (exact_path.rename(exact_key, exact_outcome, armed)) table.clear();
    make_room(exact_key.size(), raw);
    exact_key.copy(raw.text, exact_key.size());
    raw.text += exact_key.size();
    raw.used += exact_key.size();
    *raw.ends++ = raw.used;
    *raw.outcomes++ = raw.outcome_base + learn_outcome(std::move(exact_outcome));
    return nullptr;
  }

  void make_room(std::size_t bytes, RenamedKeys::Raw& raw) override {
    if (static_cast<std::size_t>(raw.text_limit - raw.text) >= bytes) return;
    out->give_back(raw);
    out->reserve_text(bytes);
    raw = out->raw();
  }

  RenamedKeys* out = nullptr;
  std::string exact_key;
  RenameOutcome exact_outcome;
};

namespace {

/// What the loader does after the transforms because it knows the model's keys (T15), for many keys of few
/// outcomes.
class LoaderSteps {
 public:
  LoaderSteps(const Renaming& renaming, OutcomePool& pool) : renaming_(&renaming), pool_(&pool) {}

  /// `renamed`: what the transforms made of `key`, with that outcome; both are brought up to date. Errors:
  /// pattern_limit, naming the key.
  void run(std::string_view key, std::string& renamed, std::uint32_t& outcome) {
    try {
      const TargetKeys& target = *renaming_->options().target;
      bool prefix_changed = renaming_->adjust_base_prefix(renamed);
      bool second_try = false;
      if (!target.contains(renamed)) {
        std::string original = renaming_->options().strip_wrappers ? strip_wrappers(key) : std::string(key);
        if (target.contains(original)) {
          second_try = true;
          renamed = std::move(original);
          prefix_changed = renaming_->adjust_base_prefix(renamed);
        }
      }
      if (prefix_changed || second_try) outcome = changed(outcome, prefix_changed, second_try);
    } catch (Error& error) {
      throw std::move(error).for_key(key);
    }
  }

 private:
  std::uint32_t changed(std::uint32_t outcome, bool prefix_changed, bool second_try) {
    const std::uint64_t question =
        std::uint64_t{outcome} << 2U | (prefix_changed ? 1U : 0U) | (second_try ? 2U : 0U);
    const auto [answer, is_new] = answers_.try_emplace(question);
    if (is_new) {
      RenameOutcome copy = (*pool_)[outcome];
      copy.base_prefix_changed = prefix_changed;
      copy.second_try = second_try;
      if (second_try) copy.converter.reset();
      answer->second = pool_->intern(std::move(copy));
    }
    return answer->second;
  }

  const Renaming* renaming_;
  OutcomePool* pool_;
  std::unordered_map<std::uint64_t, std::uint32_t> answers_;
};

/// The numbers of `keys` in the order in which a stateful run has to see them.
std::vector<std::size_t> dot_natural_order(std::span<const std::string_view> keys) {
  std::vector<std::size_t> order(keys.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return dot_natural_less(keys[a], keys[b]); });
  return order;
}

}  // namespace

void RenameRun::State::rename_in_dot_natural_order(std::span<const std::string_view> keys,
                                                   RenamedKeys& result) {
  const std::vector<std::size_t> order = dot_natural_order(keys);
  std::vector<std::string_view> sorted(keys.size());
  std::vector<std::size_t> place(keys.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    sorted[i] = keys[order[i]];
    place[order[i]] = i;
  }
  RenamedKeys renamed;
  rename_in_order(sorted, renamed);
  result.begin_pool(pool);
  result.reserve_keys(keys.size());
  result.reserve_text(renamed.text().size());
  for (const std::size_t i : place) result.append(renamed[i], renamed.outcome_number(i));
  result.end_pool();
}

void RenameRun::State::rename_for_target(std::span<const std::string_view> keys, RenamedKeys& result) {
  RenamedKeys renamed;
  rename_by_transforms(keys, renamed);
  LoaderSteps steps(trie.renaming(), *pool);
  result.begin_pool(pool);
  result.reserve_keys(keys.size());
  std::string text;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    text = renamed[i];
    std::uint32_t outcome = renamed.outcome_number(i);
    steps.run(keys[i], text, outcome);
    result.reserve_text(text.size());
    result.append(text, outcome);
  }
  result.end_pool();
}

RenameRun::RenameRun(const TransformTrie& trie) : RenameRun(trie, best_kernel()) {}
RenameRun::RenameRun(const TransformTrie& trie, const ShapeKernel& kernel)
    : state_(std::make_unique<State>(trie, kernel)) {}
RenameRun::~RenameRun() = default;
RenameRun::RenameRun(RenameRun&&) noexcept = default;
RenameRun& RenameRun::operator=(RenameRun&&) noexcept = default;

void RenameRun::rename(std::span<const std::string_view> keys, RenamedKeys& out) {
  if (state_->trie.renaming().options().target &&
      state_->trie.renaming().options().direction == Direction::load) {
    state_->rename_for_target(keys, out);
  } else {
    state_->rename_by_transforms(keys, out);
  }
}

std::vector<bool> RenameRun::used() const { return state_->used; }
std::size_t RenameRun::shapes() const noexcept { return state_->shapes; }

}  // namespace keyshift
