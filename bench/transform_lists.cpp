#include "transform_lists.h"

#include <string>
#include <utility>

namespace keyshift::bench {
namespace {

Transform renaming(std::string source, std::string target) {
  Transform transform;
  transform.source_patterns = {std::move(source)};
  transform.target_patterns = {std::move(target)};
  return transform;
}

/// One of the ways in which patterns are written, about a part that is in no key.
Transform about_another_part(std::size_t i) {
  const std::string n = std::to_string(i);
  switch (i % 5) {
    case 0:
      return renaming("encoder.layer_" + n + ".attention.dense", "encoder.layer_" + n + ".attention.o_proj");
    case 1:
      return renaming("^vision_tower\\.blocks_" + n + "\\.", "vision_tower.layers_" + n + ".");
    case 2:
      return renaming("layers.(\\d+).mlp_" + n + ".fc1", "layers.\\1.mlp_" + n + ".up_proj");
    case 3:
      return renaming("(?<!model\\.)stage_" + n + "\\.", "model.stage_" + n + ".");
    default:
      return renaming("block_" + n + ".experts.*.w1.weight", "block_" + n + ".experts.gate_proj");
  }
}

}  // namespace

TransformList transforms(std::size_t count) {
  TransformList list;
  list.transforms = {renaming(".self_attn.", ".attention."),
                     renaming("mlp.experts.(\\d+).gate_proj", "mlp.experts.\\1.w1")};
  for (std::size_t i = 2; i < count; ++i) list.transforms.push_back(about_another_part(i));
  return list;
}

TransformList transforms_with_numbers(std::size_t count) {
  TransformList list;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string n = std::to_string(i);
    list.transforms.push_back(renaming("layers\\." + n + "\\.mlp\\.", "blocks." + n + ".ffn."));
  }
  return list;
}

}  // namespace keyshift::bench
