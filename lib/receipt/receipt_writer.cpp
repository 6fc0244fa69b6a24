#include <algorithm>
#include <span>

#include "base/compression.h"
#include "base/json_writer.h"
#include "base/parallel.h"
#include "base/text_pieces.h"
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

// What takes time in a receipt, made side by side.
class Parts {
 public:
  Parts(const Receipt& receipt, unsigned jobs)
      : receipt_(receipt),
        headers_(receipt.source_shards.size()),
        rows_((receipt.tensors.size() + kRows - 1) / kRows) {
    // The index first: it may be as long as all headers together.
    for_each_parallel(1 + headers_.size() + rows_.size(), jobs, [&](std::size_t i) {
      if (i == 0) {
        if (receipt_.source_index) index_ = packed(receipt_.source_index->text);
      } else if (i <= headers_.size()) {
        headers_[i - 1] = packed(receipt_.source_shards[i - 1].header);
      } else {
        rows_[i - 1 - headers_.size()] = write_tensors(i - 1 - headers_.size());
      }
    });
  }

  const std::string& header(std::size_t shard) const noexcept { return headers_[shard]; }
  const std::string& index() const noexcept { return index_; }
  /// The elements of "tensors", with what stands between them.
  std::vector<std::string> take_rows() noexcept { return std::move(rows_); }

 private:
  static constexpr std::size_t kRows = 4096;  // in one piece

  std::string write_tensors(std::size_t piece) const {
    const auto from = receipt_.tensors.begin() + static_cast<std::ptrdiff_t>(piece * kRows);
    const auto to = receipt_.tensors.begin() +
                    static_cast<std::ptrdiff_t>(std::min((piece + 1) * kRows, receipt_.tensors.size()));
    std::string out;
    out.reserve(expected_size(std::span(from, to)));
    for (auto row = from; row != to; ++row) {
      out += row == receipt_.tensors.begin() ? "\n  [" : ",\n  [";
      write_tensor(out, *row);
      out += ']';
    }
    return out;
  }

  // A text that grows by doubling is copied again and again.
  static std::size_t expected_size(std::span<const Receipt::Tensor> rows) {
    std::size_t size = 0;
    for (const Receipt::Tensor& row : rows)
      size += 16 + row.from.size() + (row.to ? row.to->size() : 4) + (row.digest ? 34 : 4);
    return size;
  }

  static void write_tensor(std::string& out, const Receipt::Tensor& row) {
    json::append_string(out, row.from);
    out += ',';
    if (row.to) {
      json::append_string(out, *row.to);
    } else {
      out += "null";
    }
    out += row.digest ? ",\"" + row.digest->hex() + '"' : ",null";
  }

  const Receipt& receipt_;
  std::vector<std::string> headers_, rows_;
  std::string index_;
};

void write_text(Writer& out, const Receipt::Text& text, const std::string& packed_text) {
  out.begin_object().key("name").string(text.name).key("size").number(std::uint64_t{text.text.size()});
  out.key("text").string(packed_text).end_object();
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

void write_source(Writer& out, const Receipt& receipt, const Parts& parts) {
  out.key("source").begin_object().key("single_file").boolean(receipt.source_is_single_file);
  std::size_t next = 0;
  write_rows(out, "shards", receipt.source_shards, [&](Writer& row, const Receipt::SourceShard& shard) {
    row.begin_object().key("name").string(shard.name).key("size").number(shard.size);
    row.key("header_size").number(std::uint64_t{shard.header.size()});
    row.key("header").string(parts.header(next++)).end_object();
  });
  out.key("index");
  receipt.source_index ? write_text(out, *receipt.source_index, parts.index())
                       : static_cast<void>(out.null());
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
}

}  // namespace

std::vector<std::string> write_receipt(const Receipt& receipt, unsigned jobs) {
  Parts parts(receipt, jobs);
  Writer out(1);
  out.begin_object().key("schema").string(receipt_schema::kName);
  write_transforms(out, receipt);
  write_options(out, receipt);
  write_previous(out, receipt);
  write_source(out, receipt, parts);
  write_output(out, receipt);
  out.key("tensors").begin_array();
  std::vector<std::string> pieces = parts.take_rows();
  pieces.insert(pieces.begin(), std::move(out.text()));
  // The digest covers every byte before its own member, the comma between them included.
  pieces.emplace_back(receipt.tensors.empty() ? "],\n" : "\n ],\n");
  const std::string digest = TextPieces(pieces).digest().hex();
  pieces.back() += receipt_schema::kDigestMember;
  pieces.back() += digest + "\"\n}\n";
  return pieces;
}

}  // namespace keyshift
