// What a save does with the transforms of a load (TRANSFORMS.md, T13).
#include <algorithm>
#include <utility>

#include "base/error.h"
#include "transforms/operation_spec.h"
#include "transforms/transform.h"

namespace keyshift {

namespace {

// The pattern that comes first guards the rest, and keys come sorted: so the reversed pairs are sorted too.
void swap_pairs_sorted(Transform& transform) {
  std::vector<std::pair<std::string, std::string>> pairs;
  const std::size_t count = std::min(transform.source_patterns.size(), transform.target_patterns.size());
  for (std::size_t i = 0; i < count; ++i) {
    pairs.emplace_back(std::move(transform.target_patterns[i]), std::move(transform.source_patterns[i]));
  }
  std::sort(pairs.begin(), pairs.end());
  transform.source_patterns.clear();
  transform.target_patterns.clear();
  for (auto& [source, target] : pairs) {
    transform.source_patterns.push_back(std::move(source));
    transform.target_patterns.push_back(std::move(target));
  }
}

}  // namespace

Transform reversed(const Transform& transform) {
  Transform out = transform;
  switch (transform.type) {
    case TransformType::PrefixChange:
      std::swap(out.prefix_to_add, out.prefix_to_remove);
      return out;
    case TransformType::GroupWeightRename:
      swap_pairs_sorted(out);
      return out;
    case TransformType::Inkling2IndexOffsetWeightRename:
      out.offset = -transform.offset;
      break;
    case TransformType::WeightConverter:
      out.operations.clear();
      for (auto it = transform.operations.rbegin(); it != transform.operations.rend(); ++it) {
        out.operations.push_back(reversed(*it));
      }
      break;
    case TransformType::WeightRenaming:
      break;
    case TransformType::KeyMapping:
      throw Error(ErrorKind::transform_invalid,
                  "a KeyMapping goes one way only: what other tools map, they do not map back");
  }
  std::swap(out.source_patterns, out.target_patterns);
  return out;
}

}  // namespace keyshift
