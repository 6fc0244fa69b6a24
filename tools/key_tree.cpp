#include "tools/key_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <unordered_map>

#include "base/digest.h"

namespace keyshift::tools {

namespace {

constexpr std::uint32_t kNone = 0xFFFFFFFF;
// A hostile key may have millions of parts; what follows the last of these is taken as one.
constexpr std::size_t kMostParts = 64;

struct Node {
  std::string_view part;
  std::optional<std::uint64_t> number;  // of a part that is a number as programs write it
  std::uint32_t tensor = kNone;
  std::vector<std::uint32_t> children;
  std::uint32_t shape_id = kNone;  // equal for subtrees that agree in everything below
  std::uint64_t count = 0, size = 0;
};

// Digits without a leading zero: w01 and w1 are two names, so 01 is not folded with 1.
std::optional<std::uint64_t> as_number(std::string_view part) {
  std::uint64_t value = 0;
  if (part.empty() || (part.size() > 1 && part.front() == '0')) return std::nullopt;
  const auto [end, failure] = std::from_chars(part.data(), part.data() + part.size(), value);
  if (failure != std::errc{} || end != part.data() + part.size()) return std::nullopt;
  return value;
}

class Tree {
 public:
  explicit Tree(std::span<const TreeTensor> tensors) : tensors_(tensors) {
    nodes_.emplace_back();
    for (std::uint32_t i = 0; i < tensors.size(); ++i) insert(i);
    // Children come after their parents.
    for (std::size_t i = nodes_.size(); i-- > 0;) finish(nodes_[i]);
  }

  std::vector<TreeRow> rows() {
    add_children(nodes_.front(), {}, 0, 1);
    return std::move(rows_);
  }

 private:
  struct ChildOf {
    std::uint32_t parent;
    std::string_view part;
    bool operator==(const ChildOf&) const = default;
  };
  struct HashChild {
    std::size_t operator()(const ChildOf& c) const { return hash_of(c.part, c.parent); }
  };

  // Where the last key went: neighbours share most of their way.
  struct Step {
    std::size_t end;  // of the part within the key
    std::uint32_t node;
  };

  void insert(std::uint32_t index) {
    const std::string_view key = tensors_[index].key;
    const std::size_t longest = std::min(key.size(), last_.size());
    const auto common = static_cast<std::size_t>(
        std::mismatch(key.begin(), key.begin() + static_cast<std::ptrdiff_t>(longest), last_.begin()).first -
        key.begin());
    std::size_t shared = 0;
    while (shared < way_.size() && shared < kMostParts - 1 && way_[shared].end <= common &&
           way_[shared].end < key.size() && key[way_[shared].end] == '.') {
      ++shared;
    }
    way_.resize(shared);
    std::uint32_t node = shared == 0 ? 0 : way_.back().node;
    std::size_t begin = shared == 0 ? 0 : way_.back().end + 1;
    while (true) {
      const bool is_last = way_.size() + 1 == kMostParts;
      const std::size_t end = is_last ? key.size() : std::min(key.find('.', begin), key.size());
      node = child(node, key.substr(begin, end - begin));
      way_.push_back({end, node});
      if (end == key.size()) break;
      begin = end + 1;
    }
    nodes_[node].tensor = index;
    last_ = key;
  }

  std::uint32_t child(std::uint32_t parent, std::string_view part) {
    const auto [place, is_new] =
        by_part_.try_emplace({parent, part}, static_cast<std::uint32_t>(nodes_.size()));
    if (is_new) {
      nodes_[parent].children.push_back(place->second);
      Node& node = nodes_.emplace_back();
      node.part = part;
      node.number = as_number(part);
    }
    return place->second;
  }

  // Sorts a node's children, sums them up and gives the subtree its number.
  void finish(Node& node) {
    std::sort(node.children.begin(), node.children.end(), [this](std::uint32_t a, std::uint32_t b) {
      const Node &left = nodes_[a], &right = nodes_[b];
      if (left.number.has_value() != right.number.has_value()) return left.number.has_value();
      return left.number ? *left.number < *right.number : left.part < right.part;
    });
    std::string signature;
    const auto append = [&signature](std::uint64_t number) {
      signature.append(reinterpret_cast<const char*>(&number), sizeof number);
    };
    if (node.tensor != kNone) {
      const TreeTensor& tensor = tensors_[node.tensor];
      node.count = 1;
      node.size = tensor.size;
      append(static_cast<std::uint64_t>(tensor.dtype) + 1);
      append(tensor.shape.size());
      for (const std::uint64_t dimension : tensor.shape) append(dimension);
    } else {
      append(0);
    }
    for (const std::uint32_t number : node.children) {
      const Node& below = nodes_[number];
      node.count += below.count;
      node.size += below.size;
      append(below.shape_id);
      append(below.part.size());
      signature += below.part;
    }
    node.shape_id =
        shapes_.try_emplace(std::move(signature), static_cast<std::uint32_t>(shapes_.size())).first->second;
  }

  // Rows for what hangs below `node`, all of it there `times` times; `prefix` stands before each label.
  void add_children(const Node& node, const std::string& prefix, int depth, std::uint64_t times) {
    std::size_t i = 0;
    for (; i < node.children.size() && nodes_[node.children[i]].number; ++i) {
    }
    add_numbers({node.children.data(), i}, prefix, depth, times);
    for (; i < node.children.size(); ++i) {
      const Node& below = nodes_[node.children[i]];
      add(below, prefix + std::string(below.part), depth, times);
    }
  }

  // Children with numbers: alike ones are one row, at the place of the first.
  void add_numbers(std::span<const std::uint32_t> children, const std::string& prefix, int depth,
                   std::uint64_t times) {
    std::unordered_map<std::uint32_t, std::size_t> group_of;
    std::vector<std::vector<std::uint32_t>> groups;
    for (const std::uint32_t number : children) {
      const auto [place, is_new] = group_of.try_emplace(nodes_[number].shape_id, groups.size());
      if (is_new) groups.emplace_back();
      groups[place->second].push_back(number);
    }
    for (const auto& group : groups) {
      std::vector<std::uint64_t> numbers;
      for (const std::uint32_t number : group) numbers.push_back(*nodes_[number].number);
      add(nodes_[group.front()], prefix + number_set(numbers), depth, times * group.size());
    }
  }

  void add(const Node& node, const std::string& label, int depth, std::uint64_t times) {
    const bool only_numbers =
        std::all_of(node.children.begin(), node.children.end(),
                    [this](std::uint32_t child) { return nodes_[child].number.has_value(); });
    // A row of its own says nothing where there is but one way on, or where only numbers follow.
    if (node.tensor == kNone && (node.children.size() == 1 || only_numbers)) {
      return add_children(node, label + '.', depth, times);
    }
    rows_.push_back({depth, label, node.tensor == kNone ? nullptr : &tensors_[node.tensor],
                     node.count * times, node.size * times});
    add_children(node, {}, depth + 1, times);
  }

  std::span<const TreeTensor> tensors_;
  std::vector<Node> nodes_;
  std::unordered_map<ChildOf, std::uint32_t, HashChild> by_part_;
  std::vector<Step> way_;
  std::string_view last_;
  std::unordered_map<std::string, std::uint32_t> shapes_;
  std::vector<TreeRow> rows_;
};

// The parts of a set: runs of consecutive numbers.
std::vector<std::string> runs_of(std::span<const std::uint64_t> numbers) {
  std::vector<std::string> runs;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t end = i + 1;
    while (end < numbers.size() && numbers[end] == numbers[end - 1] + 1) ++end;
    runs.push_back(end - i == 1 ? std::to_string(numbers[i])
                                : fmt::format("{}..{}", numbers[i], numbers[end - 1]));
    i = end;
  }
  return runs;
}

bool in_equal_steps(std::span<const std::uint64_t> numbers) {
  if (numbers.size() < 3) return false;
  const std::uint64_t step = numbers[1] - numbers[0];
  for (std::size_t i = 2; i < numbers.size(); ++i) {
    if (numbers[i] - numbers[i - 1] != step) return false;
  }
  return step > 1;
}

}  // namespace

std::string number_set(std::span<const std::uint64_t> numbers) {
  constexpr std::size_t kParts = 12;
  if (numbers.size() == 1) return std::to_string(numbers.front());
  if (in_equal_steps(numbers)) {
    return fmt::format("{{{}..{}..{}}}", numbers.front(), numbers.back(), numbers[1] - numbers[0]);
  }
  std::vector<std::string> runs = runs_of(numbers);
  if (runs.size() > kParts) {
    // The first ones, and how far it goes.
    runs.erase(runs.begin() + (kParts - 2), runs.end() - 1);
    runs.insert(runs.end() - 1, "…");
  }
  return fmt::format("{{{}}}", fmt::join(runs, ","));
}

std::vector<TreeRow> fold_keys(std::span<const TreeTensor> tensors) { return Tree(tensors).rows(); }

}  // namespace keyshift::tools
