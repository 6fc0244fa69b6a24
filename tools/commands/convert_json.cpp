#include "base/json_writer.h"
#include "tools/commands/convert.h"

namespace keyshift::tools {

namespace {

void write_used(json::Writer& out, const std::vector<bool>& used) {
  out.key("used").begin_array();
  for (const bool flag : used) out.boolean(flag);
  out.end_array();
}

void write_paths(json::Writer& out, const Conversion& conversion) {
  out.key("source").string(path_text(conversion.request.plan.source));
  out.key("destination").string(path_text(conversion.request.destination));
}

void write_planned(json::Writer& out, const PlannedShard& shard, const Checkpoint& checkpoint) {
  out.begin_object();
  out.key("file").string(path_text(shard.name));
  out.key("size").number(shard.size);
  out.key("header_size").number(std::uint64_t{shard.header.size() - 8});
  out.key("tensors").number(std::uint64_t{shard.tensors.size()});
  out.key("extents").begin_array();
  for (const Extent& extent : shard.extents) {
    out.begin_object();
    out.key("source").string(path_text(checkpoint.shards()[extent.source_shard].name()));
    out.key("source_offset").number(extent.source_offset);
    out.key("target_offset").number(extent.target_offset);
    out.key("length").number(extent.length);
    out.end_object();
  }
  out.end_array().end_object();
}

void write_files(json::Writer& out, std::string_view name, const std::vector<RewriteResult::File>& files) {
  out.key(name).begin_array();
  for (const RewriteResult::File& file : files) {
    out.begin_object();
    out.key("file").string(path_text(file.name));
    out.key("size").number(file.written.size);
    out.key("xxh3_128").string(file.written.digest.hex());
    out.end_object();
  }
  out.end_array();
}

}  // namespace

std::string plan_json(const PreparedPlan& prepared, const Conversion& conversion,
                      std::optional<std::uint64_t> free_bytes) {
  const Plan& plan = prepared.plan;
  json::Writer out;
  out.begin_object();
  out.key("schema").string("keyshift-plan/1");
  write_paths(out, conversion);
  out.key("shards").begin_array();
  for (const PlannedShard& shard : plan.shards) write_planned(out, shard, *prepared.checkpoint);
  out.end_array();
  out.key("index");
  plan.index_name ? out.string(*plan.index_name) : out.null();
  out.key("side_files").begin_array();
  for (const std::string& name : plan.side_files) out.string(path_text(name));
  out.end_array();
  out.key("keys").begin_array();
  for (const KeyTable::Row& row : prepared.keys->rows()) {
    if (row.dropped) continue;
    out.begin_object();
    out.key("from").string(row.from);
    out.key("to").string(row.to);
    out.end_object();
  }
  out.end_array();
  out.key("dropped").begin_array();
  for (const KeyTable::Row& row : prepared.keys->rows()) {
    if (row.dropped) out.string(row.from);
  }
  out.end_array();
  write_used(out, prepared.keys->used());
  out.key("data_bytes").number(plan.data_bytes());
  out.key("needed_bytes").number(plan.output_bytes());
  out.key("free_bytes");
  free_bytes ? out.number(*free_bytes) : out.null();
  out.end_object();
  return std::move(out.text()) + '\n';
}

std::string result_json(const RewriteResult& result, const Conversion& conversion, double seconds) {
  json::Writer out;
  out.begin_object();
  out.key("schema").string("keyshift-convert/1");
  write_paths(out, conversion);
  write_files(out, "shards", result.shards);
  write_files(out, "others", result.others);
  out.key("receipt");
  if (result.receipt_name.empty()) {
    out.null();
  } else {
    out.begin_object().key("file").string(path_text(result.receipt_name));
    out.key("xxh3_128").string(result.receipt_digest.hex()).end_object();
  }
  out.key("tensors").number(result.tensors);
  out.key("renamed").number(result.changed);
  out.key("dropped").number(result.dropped);
  out.key("data_bytes").number(result.data_bytes);
  out.key("seconds").number(seconds);
  write_used(out, result.used);
  out.end_object();
  return std::move(out.text()) + '\n';
}

}  // namespace keyshift::tools
