#include "compare/pair_identical.h"

#include <algorithm>
#include <map>

namespace keyshift {

namespace {

// The last `parts` parts between dots, or nothing if the key has fewer.
std::string_view tail(std::string_view key, std::size_t parts) {
  std::size_t begin = key.size();
  for (std::size_t i = 0; i < parts; ++i) {
    if (begin == 0) return {};
    const std::size_t dot = key.rfind('.', begin - 1);
    begin = dot == std::string_view::npos ? 0 : dot;
  }
  return key.substr(begin);
}

std::size_t count_parts(std::string_view key) {
  return static_cast<std::size_t>(std::count(key.begin(), key.end(), '.')) + 1;
}

class Pairing {
 public:
  Pairing(const std::vector<IdenticalTensor>& a, const std::vector<IdenticalTensor>& b)
      : a_(a), b_(b), a_taken_(a.size()), b_taken_(b.size()) {}

  // Pairs those for which `label` gives the same text, which is not empty.
  template <class Label>
  void pair_by(Label label) {
    std::map<std::pair<std::string_view, std::string_view>, std::vector<std::size_t>> waiting;
    for (std::size_t i = b_.size(); i-- > 0;) {
      if (!b_taken_[i]) waiting[label(b_[i])].push_back(i);
    }
    for (std::size_t i = 0; i < a_.size(); ++i) {
      if (a_taken_[i]) continue;
      const auto found = waiting.find(label(a_[i]));
      if (found == waiting.end() || found->second.empty()) continue;
      pairs.emplace_back(i, found->second.back());
      a_taken_[i] = b_taken_[found->second.back()] = true;
      found->second.pop_back();
    }
  }

  std::vector<std::pair<std::size_t, std::size_t>> pairs;

 private:
  const std::vector<IdenticalTensor>&a_, &b_;
  std::vector<bool> a_taken_, b_taken_;
};

}  // namespace

std::vector<std::pair<std::size_t, std::size_t>> pair_identical(const std::vector<IdenticalTensor>& a,
                                                                const std::vector<IdenticalTensor>& b) {
  constexpr std::size_t kParts = 16;  // names that share more are as good as the same
  std::size_t most = 0;
  for (const IdenticalTensor& tensor : a) most = std::max(most, count_parts(tensor.key));
  Pairing pairing(a, b);
  using Label = std::pair<std::string_view, std::string_view>;
  pairing.pair_by([](const IdenticalTensor& tensor) { return Label(tensor.key, tensor.shard); });
  pairing.pair_by([](const IdenticalTensor& tensor) { return Label(tensor.key, {}); });
  for (std::size_t parts = std::min(most, kParts); parts > 0; --parts) {
    // A name that is too short for so many parts is its own label, which pairs with nothing left.
    const auto end = [&](std::string_view key) { return tail(key, parts).empty() ? key : tail(key, parts); };
    pairing.pair_by([&](const IdenticalTensor& tensor) { return Label(end(tensor.key), tensor.shard); });
    pairing.pair_by([&](const IdenticalTensor& tensor) { return Label(end(tensor.key), {}); });
  }
  pairing.pair_by([](const IdenticalTensor& tensor) { return Label({}, tensor.shard); });
  pairing.pair_by([](const IdenticalTensor&) { return Label(); });
  std::sort(pairing.pairs.begin(), pairing.pairs.end());
  return std::move(pairing.pairs);
}

}  // namespace keyshift
