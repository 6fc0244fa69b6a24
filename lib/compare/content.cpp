#include "compare/content.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <unordered_map>

#include "base/parallel.h"
#include "compare/pair_identical.h"
#include "compare/window_reader.h"

namespace keyshift {

namespace {

// What must agree beside the bytes.
struct Form {
  Dtype dtype = Dtype::U8;
  std::vector<std::uint64_t> shape;
  auto operator<=>(const Form&) const = default;
};

Form form_of(const TensorPlace& place) {
  return {place.tensor->dtype, {place.tensor->shape.begin(), place.tensor->shape.end()}};
}

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

class ContentMatching {
 public:
  ContentMatching(const ContentRequest& request, const std::function<void(std::uint64_t)>& advance,
                  const Interrupt& interrupt)
      : request_(request),
        advance_(advance),
        interrupt_(interrupt),
        a_(places_of(request.a)),
        b_(places_of(request.b)),
        partner_(a_.size(), kNone),
        results_(a_.size()),
        a_digests_(a_.size()),
        b_digests_(b_.size()),
        b_matched_(b_.size(), kNone) {}

  std::vector<ContentMatch> run() {
    pair_by_name();
    compare_pairs();
    digest_the_rest();
    pair_by_digest();
    return in_order();
  }

 private:
  void pair_by_name();
  void compare_pairs();
  void digest_the_rest();
  void pair_by_digest();
  std::vector<ContentMatch> in_order() const;

  // Not matched by the same bytes under the expected name.
  bool is_open_a(std::size_t i) const { return results_[i].kind != ContentMatch::Kind::same; }
  bool is_open_b(std::size_t i) const { return b_matched_[i] == kNone; }

  const ContentRequest& request_;
  const std::function<void(std::uint64_t)>& advance_;
  const Interrupt& interrupt_;
  std::vector<TensorPlace> a_, b_;
  std::vector<std::size_t> partner_;  // of A: the tensor of B with the expected name
  std::vector<ContentMatch> results_;
  std::vector<std::optional<Digest>> a_digests_, b_digests_;
  std::vector<std::size_t> b_matched_;  // of B: the tensor of A with the same bytes
};

void ContentMatching::pair_by_name() {
  std::unordered_map<std::string_view, std::vector<std::size_t>> by_key;  // the first one last
  by_key.reserve(b_.size());
  for (std::size_t i = b_.size(); i-- > 0;) by_key[b_[i].tensor->key].push_back(i);
  for (std::size_t i = 0; i < a_.size(); ++i) {
    const auto found = by_key.find(request_.expected[i]);
    if (found == by_key.end() || found->second.empty()) continue;
    partner_[i] = found->second.back();
    found->second.pop_back();
  }
}

void ContentMatching::compare_pairs() {
  for_each_parallel(a_.size(), request_.jobs, [&](std::size_t i) {
    ContentMatch& result = results_[i];
    result = {ContentMatch::Kind::missing, a_[i], {}, {}, 0};
    const std::size_t other = partner_[i];
    if (other == kNone) return;
    result.kind = ContentMatch::Kind::changed;
    if (form_of(a_[i]) != form_of(b_[other])) return;
    const Comparison comparison = compare_tensors(a_[i], b_[other], advance_, interrupt_);
    if (!comparison.difference) {
      result.kind = ContentMatch::Kind::same;
      result.b = b_[other];
      b_matched_[other] = i;
      return;
    }
    result.bytes = comparison.difference;
    a_digests_[i] = comparison.a;
    b_digests_[other] = comparison.b;
  });
}

// Only what could have a counterpart: a tensor of the same form that is open on the other side.
void ContentMatching::digest_the_rest() {
  std::map<Form, std::pair<bool, bool>> open;
  for (std::size_t i = 0; i < a_.size(); ++i)
    if (is_open_a(i)) open[form_of(a_[i])].first = true;
  for (std::size_t i = 0; i < b_.size(); ++i)
    if (is_open_b(i)) open[form_of(b_[i])].second = true;
  const auto digest = [&](const TensorPlace& place, std::optional<Digest>& into) {
    if (into) return;
    const auto& [in_a, in_b] = open.at(form_of(place));
    if (in_a && in_b) {
      into = digest_tensor(place, advance_, interrupt_);
    } else {
      advance_(place.tensor->size());
    }
  };
  for_each_parallel(a_.size() + b_.size(), request_.jobs, [&](std::size_t i) {
    if (i < a_.size()) {
      if (is_open_a(i)) digest(a_[i], a_digests_[i]);
    } else if (is_open_b(i - a_.size())) {
      digest(b_[i - a_.size()], b_digests_[i - a_.size()]);
    }
  });
}

void ContentMatching::pair_by_digest() {
  std::map<std::pair<Form, Digest>, std::pair<std::vector<std::size_t>, std::vector<std::size_t>>> groups;
  for (std::size_t i = 0; i < a_.size(); ++i) {
    if (is_open_a(i) && a_digests_[i]) groups[{form_of(a_[i]), *a_digests_[i]}].first.push_back(i);
  }
  for (std::size_t i = 0; i < b_.size(); ++i) {
    if (is_open_b(i) && b_digests_[i]) groups[{form_of(b_[i]), *b_digests_[i]}].second.push_back(i);
  }
  std::uint32_t group_count = 0;
  for (const auto& [what, group] : groups) {
    const auto& [ours, theirs] = group;
    if (ours.empty() || theirs.empty()) continue;
    const bool alone = ours.size() == 1 && theirs.size() == 1;
    const std::uint32_t number = alone ? 0 : ++group_count;
    std::vector<IdenticalTensor> a, b;
    for (const std::size_t i : ours) a.push_back({request_.expected[i], a_[i].shard->name()});
    for (const std::size_t i : theirs) b.push_back({b_[i].tensor->key, b_[i].shard->name()});
    for (const auto& [first, second] : pair_identical(a, b)) {
      const std::size_t i = ours[first], other = theirs[second];
      results_[i] = {ContentMatch::Kind::renamed, a_[i], b_[other], {}, number};
      b_matched_[other] = i;
    }
  }
}

std::vector<ContentMatch> ContentMatching::in_order() const {
  std::vector<ContentMatch> all = results_;
  std::vector<bool> told(b_.size());
  for (std::size_t i = 0; i < a_.size(); ++i) {
    ContentMatch& match = all[i];
    if (match.kind != ContentMatch::Kind::changed) continue;
    if (is_open_b(partner_[i])) {
      match.b = b_[partner_[i]];
      told[partner_[i]] = true;
    } else {  // what has its name holds the bytes of another
      match = {ContentMatch::Kind::missing, a_[i], {}, {}, 0};
    }
  }
  for (std::size_t i = 0; i < b_.size(); ++i) {
    if (is_open_b(i) && !told[i]) all.push_back({ContentMatch::Kind::extra, {}, b_[i], {}, 0});
  }
  return all;
}

}  // namespace

std::vector<TensorPlace> places_of(const Checkpoint& checkpoint) {
  std::vector<TensorPlace> places;
  places.reserve(checkpoint.tensor_count());
  for (const Shard& shard : checkpoint.shards()) {
    for (const TensorInfo& tensor : shard.header().tensors()) places.push_back({&shard, &tensor});
  }
  return places;
}

std::vector<ContentMatch> match_contents(const ContentRequest& request,
                                         const std::function<void(std::uint64_t)>& advance,
                                         const Interrupt& interrupt) {
  return ContentMatching(request, advance, interrupt).run();
}

}  // namespace keyshift
