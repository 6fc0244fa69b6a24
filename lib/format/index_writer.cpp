#include <fmt/format.h>

#include <algorithm>

#include "base/json_writer.h"
#include "format/index.h"

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

}  // namespace

std::string write_index(const std::vector<std::pair<std::string_view, std::string_view>>& weight_map,
                        std::uint64_t total_size, const json::Node& metadata) {
  // UTF-8 sorts by bytes as Python sorts by code points.
  auto sorted = weight_map;
  if (!std::is_sorted(sorted.begin(), sorted.end())) std::sort(sorted.begin(), sorted.end());
  json::Writer writer(2, json::Escapes::ascii);
  writer.begin_object();
  writer.key("metadata").node(with_total_size(metadata, total_size), true);
  writer.key("weight_map").begin_object();
  for (const auto& [key, shard] : sorted) writer.key(key).string(shard);
  writer.end_object();
  writer.end_object();
  writer.text() += '\n';
  return std::move(writer.text());
}

}  // namespace keyshift
