#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/file_system.h"
#include "base/json_writer.h"
#include "base/output_stream.h"
#include "format/header.h"
#include "format/index.h"
#include "tools/commands/sample.h"
#include "transforms/transform_file.h"

namespace keyshift::tools {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kHidden = 64, kInner = 176, kVocabulary = 256;
constexpr int kTextLayers = 4, kVisionLayers = 2, kShards = 3;

struct SampleTensor {
  std::string key;
  std::vector<std::uint64_t> shape;

  std::uint64_t elements() const {
    std::uint64_t product = 1;
    for (const std::uint64_t dimension : shape) product *= dimension;
    return product;
  }
};

// One shard after another holds the next tensors, as the real ones do.
std::vector<std::vector<SampleTensor>> sample_shards() {
  std::vector<std::vector<SampleTensor>> shards(kShards);
  const auto add = [&](int shard, std::string key, std::vector<std::uint64_t> shape) {
    shards.at(static_cast<std::size_t>(shard)).push_back({std::move(key), std::move(shape)});
  };
  for (int i = 0; i < kVisionLayers; ++i) {
    const std::string layer = fmt::format("vision_tower.vision_model.encoder.layers.{}.", i);
    for (const char* part : {"k_proj", "out_proj", "q_proj", "v_proj"}) {
      add(0, fmt::format("{}self_attn.{}.weight", layer, part), {kHidden, kHidden});
      add(0, fmt::format("{}self_attn.{}.bias", layer, part), {kHidden});
    }
    add(0, layer + "layer_norm1.weight", {kHidden});
  }
  add(0, "vision_tower.vision_model.embeddings.patch_embedding.weight", {kHidden, 3, 4, 4});
  add(0, "multi_modal_projector.linear_1.weight", {kHidden, kHidden});
  add(0, "multi_modal_projector.linear_1.bias", {kHidden});
  add(0, "language_model.model.embed_tokens.weight", {kVocabulary, kHidden});
  for (int i = 0; i < kTextLayers; ++i) {
    const int shard = i < kTextLayers / 2 ? 1 : 2;
    const std::string layer = fmt::format("language_model.model.layers.{}.", i);
    add(shard, layer + "input_layernorm.weight", {kHidden});
    add(shard, layer + "mlp.down_proj.weight", {kHidden, kInner});
    add(shard, layer + "mlp.gate_proj.weight", {kInner, kHidden});
    add(shard, layer + "mlp.up_proj.weight", {kInner, kHidden});
    add(shard, layer + "post_attention_layernorm.weight", {kHidden});
    add(shard, layer + "self_attn.k_proj.weight", {kHidden / 2, kHidden});
    add(shard, layer + "self_attn.o_proj.weight", {kHidden, kHidden});
    add(shard, layer + "self_attn.q_proj.weight", {kHidden, kHidden});
    add(shard, layer + "self_attn.v_proj.weight", {kHidden / 2, kHidden});
  }
  add(2, "language_model.model.norm.weight", {kHidden});
  add(2, "language_model.lm_head.weight", {kVocabulary, kHidden});
  for (auto& shard : shards) {  // the order of the safetensors library for tensors of one dtype
    std::sort(shard.begin(), shard.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  }
  return shards;
}

// BF16 values like those of a trained layer: small, of both signs, no two tensors alike.
std::string sample_values(std::uint64_t count, std::uint64_t seed) {
  std::string bytes(count * 2, '\0');
  std::uint64_t state = seed;
  for (std::uint64_t i = 0; i < count; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    const std::uint64_t random = state >> 33U;
    // Sign, an exponent between 2^-8 and 2^-5, seven bits of mantissa.
    const auto value = static_cast<std::uint16_t>(((random >> 20U) & 1U) << 15U |
                                                  (119U + (random >> 8U) % 4U) << 7U | (random & 0x7FU));
    bytes[2 * i] = static_cast<char>(value & 0xFFU);
    bytes[2 * i + 1] = static_cast<char>(value >> 8U);
  }
  return bytes;
}

void write_shard(const fs::path& path, const std::vector<SampleTensor>& tensors, std::uint64_t& seed) {
  std::vector<HeaderEntry> entries;
  std::uint64_t offset = 0;
  for (const SampleTensor& tensor : tensors) {
    const std::uint64_t end = offset + tensor.elements() * 2;
    entries.push_back({tensor.key, tensor.shape, offset, end, Dtype::BF16});
    offset = end;
  }
  OutputStream out = OutputStream::to_file(path, {.write_call = {}});
  out.write(write_header(entries, Metadata{{"format", "pt"}}, {}));
  for (const SampleTensor& tensor : tensors) out.write(sample_values(tensor.elements(), ++seed));
  out.finish();
}

std::string index_text(const std::vector<std::vector<SampleTensor>>& shards,
                       const std::vector<std::string>& names) {
  std::vector<std::pair<std::string_view, std::string_view>> weight_map;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    for (const SampleTensor& tensor : shards[i]) {
      weight_map.emplace_back(tensor.key, names[i]);
      total += tensor.elements() * 2;
    }
  }
  return write_index(weight_map, total, {});
}

constexpr std::string_view kConfig = R"({
  "architectures": ["LlavaForConditionalGeneration"],
  "model_type": "llava",
  "text_config": {"model_type": "llama", "hidden_size": 64, "intermediate_size": 176, "num_hidden_layers": 4,
                  "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 256},
  "vision_config": {"model_type": "clip_vision_model", "hidden_size": 64, "num_hidden_layers": 2}
}
)";

constexpr std::string_view kTransforms = R"({
  "schema": "weight-transforms/1",
  "transforms": [
    {"type": "WeightRenaming", "source_patterns": "^language_model.model", "target_patterns": "model.language_model"},
    {"type": "WeightRenaming", "source_patterns": "^language_model.lm_head", "target_patterns": "lm_head"},
    {"type": "WeightRenaming", "source_patterns": "^vision_tower", "target_patterns": "model.vision_tower"},
    {"type": "WeightRenaming", "source_patterns": "^multi_modal_projector", "target_patterns": "model.multi_modal_projector"}
  ]
}
)";

void write_text(const fs::path& path, std::string_view text) {
  OutputStream out = OutputStream::to_file(path, {.write_call = {}});
  out.write(text);
  out.finish();
}

// Removes what it lists, unless all went well.
class Undo {
 public:
  explicit Undo(fs::path folder, bool folder_is_new)
      : folder_(std::move(folder)), folder_is_new_(folder_is_new) {}
  Undo(const Undo&) = delete;
  Undo& operator=(const Undo&) = delete;
  ~Undo() {
    std::error_code ignored;
    for (const fs::path& file : files_) fs::remove(file, ignored);
    if (folder_is_new_) fs::remove(folder_, ignored);
  }
  fs::path file(const std::string& name) { return files_.emplace_back(folder_ / name); }
  void keep_all() {
    files_.clear();
    folder_is_new_ = false;
  }

 private:
  fs::path folder_;
  bool folder_is_new_;
  std::vector<fs::path> files_;
};

bool make_folder(const fs::path& folder) {
  std::error_code failure;
  const bool is_new = fs::create_directory(folder, failure);
  if (failure) throw io_error("cannot make the folder", failure.value()).in(folder.string());
  if (!is_new && !fs::is_empty(folder)) {
    throw Error(ErrorKind::usage, "exists and is not empty; choose another folder").in(folder.string());
  }
  return is_new;
}

}  // namespace

std::vector<std::string> write_sample(const fs::path& folder, const Interrupt& interrupt) {
  const bool is_new = make_folder(folder);
  Undo undo(folder, is_new);
  const auto shards = sample_shards();
  std::vector<std::string> names;
  std::uint64_t seed = 0;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    interrupt.check();
    names.push_back(fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, shards.size()));
    write_shard(undo.file(names.back()), shards[i], seed);
  }
  const std::string index = index_text(shards, names);
  const std::vector<std::pair<std::string, std::string_view>> texts = {
      {"model.safetensors.index.json", index}, {"config.json", kConfig}, {"transforms.json", kTransforms}};
  for (const auto& [name, text] : texts) {
    write_text(undo.file(name), text);
    names.push_back(name);
  }
  undo.keep_all();
  return names;
}

}  // namespace keyshift::tools
