#include "compare/infer.h"

#include <algorithm>
#include <map>
#include <set>

#include "compare/content.h"
#include "compare/pair_identical.h"
#include "compare/rename_search.h"

namespace keyshift {

namespace {

struct Group {                  // tensors with the same bytes
  std::vector<NamePair> pairs;  // as names and order paired them
};

// Pairs of one group, as these transforms would have them: whose new name is one of the group's stays with
// it, the rest is paired anew by the new names.
std::vector<NamePair> paired_by(const TransformList& list, const std::vector<NamePair>& pairs) {
  const std::vector<std::string> names = apply_renamings(list, pairs);
  std::set<std::string> open;
  for (const NamePair& pair : pairs) open.insert(pair.to);
  std::vector<NamePair> result(pairs.size());
  std::vector<std::size_t> rest;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    result[i].from = pairs[i].from;
    if (open.erase(names[i]) == 1) {
      result[i].to = names[i];
    } else {
      rest.push_back(i);
    }
  }
  std::vector<IdenticalTensor> a, b;
  std::vector<std::string> left;
  for (const NamePair& pair : pairs)
    if (open.contains(pair.to)) left.push_back(pair.to);
  for (const std::size_t i : rest) a.push_back({names[i], {}});
  for (const std::string& name : left) b.push_back({name, {}});
  for (const auto& [first, second] : pair_identical(a, b)) result[rest[first]].to = left[second];
  return result;
}

class Inference {
 public:
  Inference(const std::vector<ContentMatch>& matches, const Interrupt& interrupt) : interrupt_(interrupt) {
    for (const ContentMatch& match : matches) sort_in(match);
  }

  Inferred run() {
    result_.transforms = search_renamings(certain_, interrupt_);
    if (!groups_.empty()) {
      for (auto& [number, group] : groups_) {
        for (NamePair& pair : paired_by(result_.transforms, group.pairs)) certain_.push_back(std::move(pair));
      }
      if (!all_right()) result_.transforms = search_renamings(certain_, interrupt_);
    }
    tell();
    return std::move(result_);
  }

 private:
  void sort_in(const ContentMatch& match) {
    using Kind = ContentMatch::Kind;
    const auto key = [](const TensorPlace& place) { return place ? std::string(place.tensor->key) : ""; };
    const NamePair pair{key(match.a), key(match.b)};
    if (match.kind == Kind::missing || match.kind == Kind::changed)
      result_.unexplained.push_back({Unexplained::Why::missing, pair.from, "", ""});
    if (match.kind == Kind::extra || match.kind == Kind::changed)
      result_.unexplained.push_back({Unexplained::Why::extra, "", pair.to, ""});
    if (match.kind == Kind::same || (match.kind == Kind::renamed && match.group == 0))
      certain_.push_back(pair);
    if (match.kind == Kind::renamed && match.group != 0) groups_[match.group].pairs.push_back(pair);
  }

  bool all_right() const {
    const std::vector<std::string> names = apply_renamings(result_.transforms, certain_);
    for (std::size_t i = 0; i < names.size(); ++i)
      if (names[i] != certain_[i].to) return false;
    return true;
  }

  void tell() {
    const std::vector<std::string> names = apply_renamings(result_.transforms, certain_);
    result_.tensors = certain_.size();
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (certain_[i].from != certain_[i].to) result_.renamed += 1;
      if (names[i] != certain_[i].to)
        result_.unexplained.push_back({Unexplained::Why::name, certain_[i].from, certain_[i].to, names[i]});
    }
  }

  const Interrupt& interrupt_;
  std::vector<NamePair> certain_;
  std::map<std::uint32_t, Group> groups_;
  Inferred result_;
};

OpenOptions for_b(OpenOptions open) {
  open.revision.clear();
  return open;
}

}  // namespace

Inferred infer_transforms(const InferRequest& request, const std::function<void(std::uint64_t)>& begin,
                          const std::function<void(std::uint64_t)>& advance, const Interrupt& interrupt) {
  const Checkpoint a = Checkpoint::open(request.a, request.open);
  const Checkpoint b = Checkpoint::open(request.b, for_b(request.open));
  begin(a.total_size() + b.total_size());
  std::vector<std::string> own;
  for (const TensorPlace& place : places_of(a)) own.emplace_back(place.tensor->key);
  return Inference(match_contents({a, b, own, request.jobs}, advance, interrupt), interrupt).run();
}

}  // namespace keyshift
