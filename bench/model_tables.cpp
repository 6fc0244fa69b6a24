#include "model_tables.h"

#include <array>
#include <stdexcept>

namespace keyshift::bench {

namespace {

using Names = std::vector<std::string_view>;

struct Model {
  std::string_view name;
  int layers = 0;
  int dense_layers = 0;  // the first ones; all others have experts
  int experts = 0;
  std::string_view experts_in = "mlp";
  Names expert_parts = {"down_proj", "gate_proj", "up_proj"};
  Names router = {"gate.weight"};
  bool has_shared_experts = false;
  Names attention;
};

const Names kLatentAttention = {"kv_a_layernorm", "kv_a_proj_with_mqa", "kv_b_proj", "o_proj",
                                "q_a_layernorm",  "q_a_proj",           "q_b_proj"};
const Names kGroupedAttention = {"k_proj", "o_proj", "q_proj", "v_proj"};
const Names kNormedAttention = {"k_norm", "k_proj", "o_proj", "q_norm", "q_proj", "v_proj"};
const Names kProjections = {"down_proj", "gate_proj", "up_proj"};
const Names kBiasedRouter = {"gate.e_score_correction_bias", "gate.weight"};

const std::array<Model, 5>& models() {
  static const std::array<Model, 5> all = {{
      {.name = "deepseek-v3",
       .layers = 61,
       .dense_layers = 3,
       .experts = 256,
       .router = kBiasedRouter,
       .has_shared_experts = true,
       .attention = kLatentAttention},
      {.name = "kimi-k2",
       .layers = 61,
       .dense_layers = 1,
       .experts = 384,
       .router = kBiasedRouter,
       .has_shared_experts = true,
       .attention = kLatentAttention},
      {.name = "qwen3-235b-a22b", .layers = 94, .experts = 128, .attention = kNormedAttention},
      {.name = "llama-3-405b", .layers = 126, .dense_layers = 126, .attention = kGroupedAttention},
      {.name = "mixtral-8x22b",
       .layers = 56,
       .experts = 8,
       .experts_in = "block_sparse_moe",
       .expert_parts = {"w2", "w1", "w3"},
       .attention = kGroupedAttention},
  }};
  return all;
}

class Writer {
 public:
  void add(std::string_view a, std::string_view b = {}, std::string_view c = {}) {
    std::string key = prefix_;
    keys_.push_back(key.append(a).append(b).append(c));
  }

  void layer(const Model& model, int number) {
    prefix_ = "model.layers." + std::to_string(number) + ".";
    add("input_layernorm.weight");
    if (number < model.dense_layers) {
      for (const std::string_view part : kProjections) add("mlp.", part, ".weight");
    } else {
      experts(model);
    }
    add("post_attention_layernorm.weight");
    for (const std::string_view part : model.attention) add("self_attn.", part, ".weight");
    prefix_.clear();
  }

  std::vector<std::string> take() { return std::move(keys_); }

 private:
  void experts(const Model& model) {
    const std::string layer = prefix_;
    prefix_.append(model.experts_in).append(".");
    for (const std::string_view part : model.expert_parts) {
      for (int expert = 0; expert < model.experts; ++expert)
        add("experts." + std::to_string(expert) + ".", part, ".weight");
    }
    for (const std::string_view part : model.router) add(part);
    if (model.has_shared_experts)
      for (const std::string_view part : kProjections) add("shared_experts.", part, ".weight");
    prefix_ = layer;
  }

  std::string prefix_;
  std::vector<std::string> keys_;
};

}  // namespace

std::vector<std::string_view> model_names() {
  std::vector<std::string_view> names;
  for (const Model& model : models()) names.push_back(model.name);
  return names;
}

std::vector<std::string> model_keys(std::string_view name) {
  for (const Model& model : models()) {
    if (model.name != name) continue;
    Writer out;
    out.add("lm_head.weight");
    out.add("model.embed_tokens.weight");
    for (int layer = 0; layer < model.layers; ++layer) out.layer(model, layer);
    out.add("model.norm.weight");
    return out.take();
  }
  throw std::invalid_argument("there is no table of " + std::string(name));
}

}  // namespace keyshift::bench
