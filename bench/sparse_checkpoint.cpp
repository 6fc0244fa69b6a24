#include "sparse_checkpoint.h"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <optional>
#include <stdexcept>

#include "format/header.h"

namespace keyshift::bench {

namespace fs = std::filesystem;

SparseCheckpoint::SparseCheckpoint(const std::vector<Tensor>& tensors, std::size_t shards, WithIndex index) {
  std::string name = (fs::temp_directory_path() / "keyshift-bench-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a folder in " + name);
  folder_ = name;
  for (std::size_t i = 0; i < shards; ++i) {
    write_shard(fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, shards), tensors,
                tensors.size() * i / shards, tensors.size() * (i + 1) / shards);
  }
  if (index == WithIndex::yes) write_index();
}

SparseCheckpoint::~SparseCheckpoint() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

void SparseCheckpoint::write_shard(const std::string& name, const std::vector<Tensor>& tensors,
                                   std::size_t begin, std::size_t end) {
  std::vector<HeaderEntry> entries;
  std::uint64_t offset = 0;
  for (std::size_t i = begin; i < end; ++i) {
    std::uint64_t bytes = 2;
    for (const std::uint64_t length : tensors[i].shape) bytes *= length;
    entries.push_back({tensors[i].key, tensors[i].shape, offset, offset + bytes, Dtype::BF16});
    offset += bytes;
  }
  const std::string header = write_header(entries, Metadata{{"format", "pt"}}, {});
  std::ofstream(folder_ / name, std::ios::binary)
      .write(header.data(), static_cast<std::streamsize>(header.size()));
  fs::resize_file(folder_ / name, header.size() + offset);
  header_bytes_ += header.size();
  data_bytes_ += offset;
  for (std::size_t i = begin; i < end; ++i) {
    weight_map_ += fmt::format("{}\n  \"{}\": \"{}\"", weight_map_.empty() ? "" : ",", tensors[i].key, name);
  }
}

void SparseCheckpoint::write_index() {
  std::ofstream(folder_ / "model.safetensors.index.json") << fmt::format(
      "{{\"metadata\": {{\"total_size\": {}}}, \"weight_map\": {{{}\n}}}}\n", data_bytes_, weight_map_);
  weight_map_.clear();
}

namespace {

void add_with_scale(std::vector<SparseCheckpoint::Tensor>& tensors, const std::string& name,
                    std::vector<std::uint64_t> shape) {
  tensors.push_back({name + ".weight", shape});
  tensors.push_back({name + ".weight_scale_inv", {(shape[0] + 127) / 128, (shape[1] + 127) / 128}});
}

}  // namespace

std::vector<SparseCheckpoint::Tensor> deepseek_like_tensors() {
  constexpr std::uint64_t kHidden = 7168, kExpert = 2048, kDense = 18432;
  std::vector<SparseCheckpoint::Tensor> tensors{{"model.embed_tokens.weight", {129280, kHidden}}};
  for (int layer = 0; layer < 62; ++layer) {  // the last one predicts further tokens
    const std::string at = fmt::format("model.layers.{}.", layer);
    tensors.push_back({at + "input_layernorm.weight", {kHidden}});
    add_with_scale(tensors, at + "self_attn.q_a_proj", {1536, kHidden});
    tensors.push_back({at + "self_attn.q_a_layernorm.weight", {1536}});
    add_with_scale(tensors, at + "self_attn.q_b_proj", {24576, 1536});
    add_with_scale(tensors, at + "self_attn.kv_a_proj_with_mqa", {576, kHidden});
    tensors.push_back({at + "self_attn.kv_a_layernorm.weight", {512}});
    add_with_scale(tensors, at + "self_attn.kv_b_proj", {32768, 512});
    add_with_scale(tensors, at + "self_attn.o_proj", {kHidden, 16384});
    tensors.push_back({at + "post_attention_layernorm.weight", {kHidden}});
    const auto add_mlp = [&](const std::string& mlp, std::uint64_t width) {
      add_with_scale(tensors, mlp + ".gate_proj", {width, kHidden});
      add_with_scale(tensors, mlp + ".up_proj", {width, kHidden});
      add_with_scale(tensors, mlp + ".down_proj", {kHidden, width});
    };
    if (layer < 3) {
      add_mlp(at + "mlp", kDense);
      continue;
    }
    tensors.push_back({at + "mlp.gate.weight", {256, kHidden}});
    tensors.push_back({at + "mlp.gate.e_score_correction_bias", {256}});
    for (int expert = 0; expert < 256; ++expert)
      add_mlp(fmt::format("{}mlp.experts.{}", at, expert), kExpert);
    add_mlp(at + "mlp.shared_experts", kExpert);
  }
  tensors.push_back({"model.norm.weight", {kHidden}});
  tensors.push_back({"lm_head.weight", {129280, kHidden}});
  return tensors;
}

}  // namespace keyshift::bench
