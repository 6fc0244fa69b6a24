#include "transforms/transform.h"

namespace keyshift {

std::string_view name(TransformType type) noexcept {
  switch (type) {
    case TransformType::WeightRenaming:
      return "WeightRenaming";
    case TransformType::PrefixChange:
      return "PrefixChange";
    case TransformType::GroupWeightRename:
      return "GroupWeightRename";
    case TransformType::Inkling2IndexOffsetWeightRename:
      return "Inkling2IndexOffsetWeightRename";
    case TransformType::WeightConverter:
      return "WeightConverter";
    case TransformType::KeyMapping:
      return "KeyMapping";
  }
  return "";
}

}  // namespace keyshift
