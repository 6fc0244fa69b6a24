// A small sharded checkpoint on disk: two shards, an index, two side files.
#pragma once

#include <filesystem>
#include <string>

#include "support/shard_builder.h"
#include "support/temporary_folder.h"

namespace keyshift::test {

inline const std::string kFirstShard = "model-00001-of-00002.safetensors";
inline const std::string kSecondShard = "model-00002-of-00002.safetensors";
inline const std::string kIndex = "model.safetensors.index.json";

inline std::filesystem::path write_sample(const TemporaryFolder& folder, const std::string& name = "source") {
  folder.write(name + "/" + kFirstShard, shard_of({{"model.layers.0.mlp.weight", "0123456789"},
                                                   {"model.layers.1.mlp.weight", "abcdefghij"}}));
  folder.write(name + "/" + kSecondShard,
               shard_of({{"model.norm.weight", "norm"}, {"lm_head.weight", "head!"}}));
  folder.write(name + "/" + kIndex, R"({
  "metadata": {
    "total_parameters": 7,
    "total_size": 29
  },
  "weight_map": {
    "lm_head.weight": "model-00002-of-00002.safetensors",
    "model.layers.0.mlp.weight": "model-00001-of-00002.safetensors",
    "model.layers.1.mlp.weight": "model-00001-of-00002.safetensors",
    "model.norm.weight": "model-00002-of-00002.safetensors"
  }
}
)");
  folder.write(name + "/config.json", "{\"model_type\": \"llama\"}\n");
  folder.write(name + "/tokenizer.json", "{}");
  return folder.path() / name;
}

}  // namespace keyshift::test
