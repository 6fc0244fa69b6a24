#include "format/file_names.h"

#include <doctest/doctest.h>

using namespace keyshift;

TEST_CASE("a variant stands before the last dot") {
  CHECK(with_variant("model.safetensors", "") == "model.safetensors");
  CHECK(with_variant("model.safetensors", "fp16") == "model.fp16.safetensors");
  CHECK(index_names("model", "") == std::vector<std::string>{"model.safetensors.index.json"});
  CHECK(index_names("model", "fp16") == std::vector<std::string>{"model.safetensors.index.fp16.json",
                                                                 "model.safetensors.fp16.index.json",
                                                                 "model.fp16.safetensors.index.json"});
}

TEST_CASE("indexes are known by their names") {
  for (const char* name : {"model.safetensors.index.json", "model.safetensors.index.fp16.json",
                           "x.safetensors.fp16.index.json", "m.fp16.safetensors.index.json"}) {
    CHECK_MESSAGE(is_safetensors_index(name), name);
    CHECK_MESSAGE(is_any_index(name), name);
  }
  for (const char* name :
       {"pytorch_model.bin.index.json", "tf_model.h5.index.json", "flax_model.msgpack.index.json"}) {
    CHECK_FALSE(is_safetensors_index(name));
    CHECK(is_any_index(name));
  }
  for (const char* name : {"config.json", "model_index.json", "model.index.json", "model.safetensors.json",
                           "model.safetensors.index.txt"}) {
    CHECK_MESSAGE(!is_any_index(name), name);
  }
}

TEST_CASE("weights are known by their endings, tokenizer models are none") {
  for (const char* name : {"a.safetensors", "pytorch_model.bin", "a.pt", "a.pth", "a.ckpt", "tf_model.h5",
                           "a.gguf", "flax_model.msgpack", "a.onnx", "rust_model.ot"}) {
    CHECK_MESSAGE(is_weights(name), name);
  }
  for (const char* name :
       {"tokenizer.model", "config.json", "README.md", "safetensors", "bin", "a.safetensors.txt"}) {
    CHECK_MESSAGE(!is_weights(name), name);
  }
}

TEST_CASE("what keyshift leaves behind is its own") {
  for (const char* name : {"keyshift-receipt.json", "model.keyshift-receipt.json", ".out.keyshift-tmp"})
    CHECK(is_own(name));
  CHECK_FALSE(is_own("keyshift.json"));
}

TEST_CASE("shard numbers are read in every spelling that is met") {
  const auto check = [](const char* name, std::uint64_t number, std::uint64_t count, const char* set) {
    const auto shard = parse_shard_number(name);
    REQUIRE_MESSAGE(shard, name);
    CHECK(shard->number == number);
    CHECK(shard->count == count);
    CHECK(shard->set == set);
  };
  check("model-00001-of-00163.safetensors", 1, 163, "model--of-00163.safetensors");
  check("model-000002-of-000004.safetensors", 2, 4, "model--of-000004.safetensors");
  check("model.safetensors-00001-of-00014.safetensors", 1, 14, "model.safetensors--of-00014.safetensors");
  check("unet-00002-of-00002.fp16.safetensors", 2, 2, "unet--of-00002.fp16.safetensors");
  for (const char* name :
       {"model.safetensors", "model-1-of-2.safetensors", "00001-of-00002.safetensors",
        "model-00001-of-00002.bin", "model_00001-of-00002.safetensors", "of-of-of.safetensors",
        "-of-.safetensors", "model-99999999999-of-99999999999.safetensors"}) {
    CHECK_MESSAGE(!parse_shard_number(name), name);
  }
}
