#include "base/json_writer.h"
#include "tools/commands/inspect.h"

namespace keyshift::tools {

namespace {

void write_metadata(json::Writer& out, const std::optional<Metadata>& metadata) {
  if (!metadata) {
    out.null();
    return;
  }
  out.begin_object();
  for (const auto& [name, value] : *metadata) out.key(name).string(value);
  out.end_object();
}

void write_shard(json::Writer& out, const Shard& shard) {
  out.begin_object();
  out.key("file").string(path_text(shard.name()));
  out.key("size").number(shard.file().size());
  out.key("header_size").number(shard.header().length());
  out.key("metadata");
  write_metadata(out, shard.header().metadata());
  out.key("tensors").begin_array();
  for (const TensorInfo& tensor : shard.header().tensors()) {
    out.begin_object();
    out.key("key").string(tensor.key);
    out.key("dtype").string(name(tensor.dtype));
    out.key("shape").begin_array();
    for (const std::uint64_t dimension : tensor.shape) out.number(dimension);
    out.end_array();
    out.key("data_offsets").begin_array().number(tensor.begin).number(tensor.end).end_array();
    out.end_object();
  }
  out.end_array().end_object();
}

void write_index(json::Writer& out, const Checkpoint& checkpoint) {
  if (!checkpoint.index()) {
    out.null();
    return;
  }
  const Index& index = *checkpoint.index();
  out.begin_object();
  out.key("file").string(path_text(*checkpoint.place().index_name));
  out.key("metadata").node(index.metadata);
  out.key("weight_map").begin_object();
  for (const auto& [key, shard] : index.weight_map) out.key(key).string(shard);
  out.end_object().end_object();
}

}  // namespace

std::string inspect_json(const Checkpoint& checkpoint) {
  json::Writer out;
  out.begin_object();
  out.key("schema").string("keyshift-inspect/1");
  out.key("shards").begin_array();
  for (const Shard& shard : checkpoint.shards()) write_shard(out, shard);
  out.end_array();
  out.key("index");
  write_index(out, checkpoint);
  out.end_object();
  return std::move(out.text()) + '\n';
}

}  // namespace keyshift::tools
