#include "base/json_writer.h"
#include "tools/commands/convert.h"
#include "tools/commands/rewritten_output.h"

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

void write_planned(json::Writer& out, const ShownPlan& shown, std::size_t number) {
  const PlannedShard& shard = shown.prepared.plan.shards[number];
  out.begin_object();
  out.key("file").string(path_text(shard.name));
  out.key("size").number(shard.size);
  out.key("header_size").number(std::uint64_t{shard.header.size() - 8});
  out.key("tensors").number(std::uint64_t{shard.tensors.size()});
  out.key("extents").begin_array();
  for (std::size_t i = 0; i < shard.extents.size(); ++i) {
    const Extent& extent = shard.extents[i];
    out.begin_object();
    const Shard& source = shown.prepared.checkpoint->shards()[extent.source_shard];
    out.key("source").string(path_text(source.name()));
    out.key("source_offset").number(extent.source_offset);
    out.key("target_offset").number(extent.target_offset);
    out.key("length").number(extent.length);
    out.key("copy").string(name(shown.ways.shards[number][i]));
    out.key("io").string(source.file().is_mapped() ? "mmap" : "read");
    out.end_object();
  }
  out.end_array();
  out.key("digested").boolean(shown.ways.is_digested(number)).end_object();
}

void write_files(json::Writer& out, std::string_view name, const std::vector<RewriteResult::File>& files) {
  out.key(name).begin_array();
  for (const RewriteResult::File& file : files) {
    out.begin_object();
    out.key("file").string(path_text(file.name));
    out.key("size").number(file.written.size);
    out.key("xxh3_128");
    file.digested ? out.string(file.written.digest.hex()) : out.null();
    if (file.written.sha256) out.key("sha256").string(file.written.sha256->hex());
    out.end_object();
  }
  out.end_array();
}

void write_moves(json::Writer& out, std::uint64_t shared, std::uint64_t in_kernel, std::uint64_t streamed) {
  out.key("copy").begin_object();
  out.key(name(CopyWay::reflink)).number(shared);
  out.key(name(CopyWay::range)).number(in_kernel);
  out.key(name(CopyWay::stream)).number(streamed);
  out.end_object();
}

}  // namespace

std::string plan_json(const ShownPlan& shown, const Conversion& conversion) {
  const PreparedPlan& prepared = shown.prepared;
  const Plan& plan = prepared.plan;
  json::Writer out;
  out.begin_object();
  out.key("schema").string("keyshift-plan/1");
  write_paths(out, conversion);
  out.key("shards").begin_array();
  for (std::size_t i = 0; i < plan.shards.size(); ++i) write_planned(out, shown, i);
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
  write_rewritten(out, plan.rewritten);
  out.key("data_bytes").number(plan.data_bytes());
  write_moves(out, shown.ways.bytes(plan, CopyWay::reflink), shown.ways.bytes(plan, CopyWay::range),
              shown.ways.bytes(plan, CopyWay::stream));
  out.key("needed_bytes").number(shown.needed_bytes());
  out.key("free_bytes");
  shown.free_bytes ? out.number(*shown.free_bytes) : out.null();
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
  out.key("resumed").number(result.resumed);
  out.key("data_bytes").number(result.data_bytes);
  write_moves(out, result.shared_bytes, result.kernel_bytes,
              result.data_bytes - result.shared_bytes - result.kernel_bytes);
  write_rewritten(out, result.rewritten);
  out.key("seconds").number(seconds);
  write_used(out, result.used);
  out.end_object();
  return std::move(out.text()) + '\n';
}

}  // namespace keyshift::tools
