#include "base/compression.h"
#include "base/json_writer.h"
#include "base/parallel.h"
#include "receipt/receipt.h"
#include "receipt/schema.h"
#include "transforms/transform_file.h"

namespace keyshift {

namespace {

using json::Writer;

std::string packed(std::string_view text) { return to_base64(compress(text)); }

void write_digest(Writer& out, std::string_view name, const std::optional<Digest>& digest) {
  out.key(name);
  digest ? out.string(digest->hex()) : out.null();
}

void write_sha256(Writer& out, const std::optional<Sha256>& sha256) {
  out.key("sha256");
  sha256 ? out.string(sha256->hex()) : out.null();
}

// A row is one line: a receipt is read by people and by grep, too.
template <class Rows, class WriteRow>
void write_rows(Writer& out, std::string_view name, const Rows& rows, WriteRow&& write_row) {
  out.key(name).begin_array();
  for (const auto& row : rows) {
    Writer line;
    write_row(line, row);
    out.raw(line.text());
  }
  out.end_array();
}

void write_text(Writer& out, const Receipt::Text& text, const std::string& packed_text) {
  out.begin_object().key("name").string(text.name).key("size").number(std::uint64_t{text.text.size()});
  out.key("text").string(packed_text).end_object();
}

// Nearly what the receipt will take: a text that grows by doubling is copied again and again.
std::size_t expected_size(const Receipt& receipt) {
  std::size_t size = 65536 + (receipt.source_index ? receipt.source_index->text.size() / 4 : 0);
  for (const Receipt::SourceShard& shard : receipt.source_shards) size += 512 + shard.header.size() / 3;
  for (const Receipt::Tensor& tensor : receipt.tensors)
    size += 16 + tensor.from.size() + (tensor.to ? tensor.to->size() : 4) + (tensor.digest ? 34 : 4);
  return size;
}

void write_patterns(Writer& out, std::string_view name, const std::vector<std::string>& patterns) {
  Writer list;
  list.begin_array();
  for (const std::string& pattern : patterns) list.string(pattern);
  out.key(name).raw(list.end_array().text());
}

void write_transforms(Writer& out, const Receipt& receipt) {
  out.key("direction").string(receipt.direction == Direction::load ? "load" : "save").key("reversed");
  receipt.direction == Direction::load ? out.null() : out.string(receipt_schema::name(receipt.reversed));
  out.key("strip_wrappers").boolean(receipt.strip_wrappers);
  std::string rules = keyshift::write_transforms(receipt.transforms);
  while (!rules.empty() && rules.back() == '\n') rules.pop_back();
  out.key("transforms").raw(rules);
  Writer used;
  used.begin_array();
  for (const bool flag : receipt.used) used.boolean(flag);
  out.key("used").raw(used.end_array().text());
  write_digest(out, "target", receipt.target);
}

void write_options(Writer& out, const Receipt& receipt) {
  out.key("layout").string(receipt_schema::name(receipt.layout)).key("max_shard_size");
  receipt.max_shard_size ? out.number(*receipt.max_shard_size) : out.null();
  write_patterns(out, "keep", receipt.keep_patterns);
  write_patterns(out, "drop", receipt.drop_patterns);
  out.key("in_place").boolean(receipt.in_place);
  out.key("digests").string(receipt_schema::name(digests_held(receipt)));
}

void write_previous(Writer& out, const Receipt& receipt) {
  out.key("previous");
  if (!receipt.previous) {
    out.null();
    return;
  }
  Writer line;
  line.begin_object().key("digest").string(digest_of(*receipt.previous).hex());
  line.key("size").number(std::uint64_t{receipt.previous->size()});
  line.key("text").string(packed(*receipt.previous)).end_object();
  out.raw(line.text());
}

void write_source(Writer& out, const Receipt& receipt, unsigned jobs) {
  const std::size_t shards = receipt.source_shards.size();
  std::vector<std::string> headers(shards);
  std::string index;
  // The index first: it may be as long as all headers together.
  for_each_parallel(shards + 1, jobs, [&](std::size_t i) {
    if (i > 0) {
      headers[i - 1] = packed(receipt.source_shards[i - 1].header);
    } else if (receipt.source_index) {
      index = packed(receipt.source_index->text);
    }
  });
  out.key("source").begin_object().key("single_file").boolean(receipt.source_is_single_file);
  std::size_t next = 0;
  write_rows(out, "shards", receipt.source_shards, [&](Writer& row, const Receipt::SourceShard& shard) {
    row.begin_object().key("name").string(shard.name).key("size").number(shard.size);
    row.key("header_size").number(std::uint64_t{shard.header.size()});
    row.key("header").string(headers[next++]).end_object();
  });
  out.key("index");
  receipt.source_index ? write_text(out, *receipt.source_index, index) : static_cast<void>(out.null());
  write_rows(out, "files", receipt.source_files, [](Writer& row, const Receipt::SourceFile& file) {
    row.begin_object().key("name").string(file.name).key("size").number(file.size);
    row.key("digest").string(file.digest.hex()).end_object();
  });
  out.end_object();
}

void write_output(Writer& out, const Receipt& receipt) {
  write_rows(out, "shards", receipt.shards, [](Writer& row, const Receipt::OutputShard& shard) {
    row.begin_object().key("name").string(shard.name).key("size").number(shard.size);
    row.key("header_digest").string(shard.header_digest.hex());
    write_digest(row, "digest", shard.digest);
    write_sha256(row, shard.sha256);
    row.end_object();
  });
  write_rows(out, "files", receipt.others, [](Writer& row, const Receipt::OutputFile& file) {
    row.begin_object().key("name").string(file.name).key("size").number(file.size);
    row.key("digest").string(file.digest.hex());
    write_sha256(row, file.sha256);
    row.end_object();
  });
  write_rows(out, "rewritten", receipt.rewritten,
             [](Writer& row, const Receipt::Text& text) { write_text(row, text, packed(text.text)); });
  write_rows(out, "tensors", receipt.tensors, [](Writer& row, const Receipt::Tensor& tensor) {
    row.begin_array().string(tensor.from);
    tensor.to ? row.string(*tensor.to) : row.null();
    tensor.digest ? row.string(tensor.digest->hex()) : row.null();
    row.end_array();
  });
}

}  // namespace

std::string write_receipt(const Receipt& receipt, unsigned jobs) {
  Writer out(1);
  out.text().reserve(expected_size(receipt));
  out.begin_object().key("schema").string(receipt_schema::kName);
  write_transforms(out, receipt);
  write_options(out, receipt);
  write_previous(out, receipt);
  write_source(out, receipt, jobs);
  write_output(out, receipt);
  // The digest covers every byte before its own member, the comma between them included.
  std::string& text = out.text();
  text += ",\n";
  const std::string digest = digest_of(text).hex();
  text += receipt_schema::kDigestMember;
  text += digest + "\"\n}\n";
  return std::move(text);
}

}  // namespace keyshift
