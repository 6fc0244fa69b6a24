#include "format/index_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/json_writer.h"
#include "base/text_builder.h"

namespace keyshift {

namespace {

json::Node with_total_size(const json::Node& metadata, std::uint64_t total_size) {
  json::Node out = metadata;
  out.kind = json::Kind::object;
  json::Node size;
  size.kind = json::Kind::number;
  size.text = fmt::format_int(total_size).str();
  for (auto& [name, value] : out.members) {
    if (name == "total_size") {
      value = std::move(size);
      return out;
    }
  }
  out.members.emplace_back("total_size", std::move(size));
  return out;
}

std::size_t expected_size(std::span<const WeightMap::Entry> places) {
  std::size_t size = 64;
  for (const auto& [key, shard] : places) size += key.size() + shard.size() + 12;
  return size;
}

}  // namespace

std::string write_index(std::span<const WeightMap::Entry> weight_map, std::uint64_t total_size,
                        const json::Node& metadata) {
  // UTF-8 sorts by bytes as Python sorts by code points.
  std::vector<WeightMap::Entry> sorted(weight_map.begin(), weight_map.end());
  std::sort(sorted.begin(), sorted.end());
  return write_sorted_index(sorted, total_size, metadata);
}

std::string write_sorted_index(std::span<const WeightMap::Entry> weight_map, std::uint64_t total_size,
                               const json::Node& metadata) {
  json::Writer writer(2, json::Escapes::ascii);
  writer.begin_object();
  writer.key("metadata").node(with_total_size(metadata, total_size), true);
  writer.key("weight_map").begin_object();
  const std::string start = std::move(writer.text());
  TextBuilder text(start.size() + expected_size(weight_map));
  text.add(start);
  std::string shard;  // as it is written
  for (std::size_t i = 0; i < weight_map.size(); ++i) {
    text.reserve(8);
    text.add(i == 0 ? "\n    " : ",\n    ");
    text.add_string<PlainBytes::ascii>(weight_map[i].first, 2);
    text.add(": ");
    if (i == 0 || weight_map[i].second != weight_map[i - 1].second) {  // it comes again and again
      shard.clear();
      json::append_string(shard, weight_map[i].second, json::Escapes::ascii);
    }
    text.reserve(shard.size());
    text.add(shard);
  }
  text.reserve(16);
  text.add(weight_map.empty() ? "}\n}\n" : "\n  }\n}\n");
  return text.finish();
}

}  // namespace keyshift
