#include <algorithm>
#include <array>

#include "format/file_names.h"
#include "plan/spread.h"

namespace keyshift {

namespace {

constexpr std::string_view kEnding = ".safetensors";
constexpr std::array<std::string_view, 3> kKnown = {"model", "adapter_model", "diffusion_pytorch_model"};

// model.safetensors.index.fp16.json and model.safetensors.fp16.index.json → model.fp16
std::string stem_of_index(std::string_view name) {
  const std::size_t at = name.find(kEnding);
  std::string stem(name.substr(0, at));
  std::string rest(at == std::string_view::npos ? std::string_view() : name.substr(at + kEnding.size()));
  for (const std::string_view part : {".index", ".json"}) {
    const std::size_t place = rest.find(part);
    if (place != std::string::npos) rest.erase(place, part.size());
  }
  return stem + rest;
}

std::string stem_of_shard(std::string_view name) {
  if (const auto numbered = parse_shard_number(name))
    return numbered->set.substr(0, numbered->set.find("--of-"));
  return std::string(name.substr(0, name.size() - kEnding.size()));
}

bool is_known(std::string_view stem) {
  return std::any_of(kKnown.begin(), kKnown.end(),
                     [&](auto known) { return stem == known || stem.starts_with(std::string(known) + '.'); });
}

}  // namespace

std::string shard_stem(const CheckpointPlace& place) {
  const std::string stem =
      place.index_name ? stem_of_index(*place.index_name) : stem_of_shard(place.shard_names.front());
  return is_known(stem) ? stem : "model";
}

std::string index_name_for(const std::string& stem) {
  const std::size_t dot = stem.find('.');
  const std::string variant = dot == std::string::npos ? "" : stem.substr(dot + 1);
  return index_names(stem.substr(0, dot), variant).front();
}

}  // namespace keyshift
