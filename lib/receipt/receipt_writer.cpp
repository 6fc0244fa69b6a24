#include "base/compression.h"
#include "base/json_writer.h"
#include "receipt/receipt.h"
#include "receipt/schema.h"
#include "transforms/transform_file.h"

namespace keyshift {

namespace {

void write_files(json::Writer& out, const std::vector<Receipt::OutputFile>& files) {
  out.begin_array();
  for (const Receipt::OutputFile& file : files) {
    json::Writer row;
    row.begin_object().key("name").string(file.name).key("size").number(file.size);
    row.key("digest").string(file.digest.hex()).end_object();
    out.raw(row.text());
  }
  out.end_array();
}

void write_source(json::Writer& out, const Receipt& receipt) {
  out.begin_object().key("single_file").boolean(receipt.source_is_single_file).key("shards").begin_array();
  for (const Receipt::SourceShard& shard : receipt.source_shards) {
    json::Writer row;
    row.begin_object().key("name").string(shard.name).key("size").number(shard.size);
    row.key("header_size").number(std::uint64_t{shard.header.size()});
    row.key("header").string(to_base64(compress(shard.header))).end_object();
    out.raw(row.text());
  }
  out.end_array().key("index");
  if (receipt.source_index) {
    out.begin_object().key("name").string(receipt.source_index->name);
    out.key("size").number(std::uint64_t{receipt.source_index->text.size()});
    out.key("text").string(to_base64(compress(receipt.source_index->text))).end_object();
  } else {
    out.null();
  }
  out.end_object();
}

// One line a tensor: a receipt is read by people and by grep, too.
void write_tensors(json::Writer& out, const std::vector<Receipt::Tensor>& tensors) {
  out.begin_array();
  for (const Receipt::Tensor& tensor : tensors) {
    json::Writer row;
    row.begin_array().string(tensor.from).string(tensor.to);
    if (tensor.digest) {
      row.string(tensor.digest->hex());
    } else {
      row.null();
    }
    out.raw(row.end_array().text());
  }
  out.end_array();
}

}  // namespace

std::string write_receipt(const Receipt& receipt) {
  json::Writer out(1);
  out.begin_object().key("schema").string(receipt_schema::kName);
  out.key("direction").string(receipt.direction == Direction::load ? "load" : "save");
  out.key("reversed");
  if (receipt.direction == Direction::load) {
    out.null();
  } else {
    out.string(receipt_schema::name(receipt.reversed));
  }
  out.key("strip_wrappers").boolean(receipt.strip_wrappers);
  std::string rules = write_transforms(receipt.transforms);
  while (!rules.empty() && rules.back() == '\n') rules.pop_back();
  out.key("transforms").raw(rules);
  json::Writer used;
  used.begin_array();
  for (const bool flag : receipt.used) used.boolean(flag);
  out.key("used").raw(used.end_array().text());
  out.key("previous");
  if (receipt.previous) {
    out.string(receipt.previous->hex());
  } else {
    out.null();
  }
  out.key("source");
  write_source(out, receipt);
  out.key("shards");
  write_files(out, receipt.shards);
  out.key("files");
  write_files(out, receipt.others);
  out.key("tensors");
  write_tensors(out, receipt.tensors);
  // The digest covers every byte before its own member, the comma between them included.
  std::string& text = out.text();
  text += ",\n";
  const std::string digest = digest_of(text).hex();
  return text + receipt_schema::kDigestMember + digest + "\"\n}\n";
}

}  // namespace keyshift
