#include "key_tables.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <random>
#include <stdexcept>

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

KeyTable::KeyTable(const std::vector<std::string>& keys) {
  for (const std::string& key : keys) text_ += key;
  std::size_t at = 0;
  for (const std::string& key : keys) {
    keys_.push_back(std::string_view(text_).substr(at, key.size()));
    at += key.size();
  }
}

std::vector<std::string> mixture_of_experts_keys() {
  std::vector<std::string> keys = {"lm_head.weight", "model.embed_tokens.weight", "model.norm.weight"};
  for (int layer = 0; layer < 61; ++layer) {
    const std::string prefix = "model.layers." + std::to_string(layer) + ".";
    keys.push_back(prefix + "input_layernorm.weight");
    for (const char* projection : {"down_proj", "gate_proj", "up_proj"}) {
      if (layer < 3) keys.push_back(prefix + "mlp." + projection + ".weight");
      for (int expert = 0; layer >= 3 && expert < 256; ++expert) {
        keys.push_back(prefix + "mlp.experts." + std::to_string(expert) + "." + projection + ".weight");
      }
    }
    for (const char* name : {"kv_a_layernorm", "kv_a_proj_with_mqa", "kv_b_proj", "o_proj", "q_a_layernorm",
                             "q_a_proj", "q_b_proj"}) {
      keys.push_back(prefix + "self_attn." + name + ".weight");
    }
    keys.push_back(prefix + "post_attention_layernorm.weight");
  }
  return keys;
}

std::vector<std::string> dense_keys(std::size_t copies) {
  constexpr std::array names = {
      "input_layernorm",          "mlp.down_proj",    "mlp.gate_proj",    "mlp.up_proj",
      "post_attention_layernorm", "self_attn.k_proj", "self_attn.o_proj", "self_attn.q_proj",
      "self_attn.v_proj"};
  std::vector<std::string> keys;
  for (std::size_t copy = 0; copy < copies; ++copy) {
    const std::string model = copy == 0 ? "model" : "model_" + std::to_string(copy);
    keys.push_back(model + ".embed_tokens.weight");
    for (int layer = 0; layer < 126; ++layer) {
      for (const char* name : names) {
        keys.push_back(model + ".layers." + std::to_string(layer) + "." + name + ".weight");
      }
    }
    keys.push_back(model + ".norm.weight");
  }
  return keys;
}

std::vector<std::string> read_keys(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot open " + path);
  std::vector<std::string> keys;
  for (std::string line; std::getline(in, line);) keys.push_back(line);
  return keys;
}

std::vector<std::string> shuffled(std::vector<std::string> keys) {
  std::mt19937_64 random(20'240'917);
  for (std::size_t i = keys.size(); i > 1; --i) std::swap(keys[i - 1], keys[random() % i]);
  return keys;
}

TransformList transforms(std::size_t count) {
  TransformList list;
  list.transforms = {renaming(".self_attn.", ".attention."),
                     renaming("mlp.experts.*.gate_proj", "mlp.experts.gate_up_proj")};
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
