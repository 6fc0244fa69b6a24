#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tools/commands/inspect.h"
#include "tools/key_tree.h"

namespace keyshift::tools {

namespace {

constexpr std::size_t kWidestLabel = 64;

std::string shape_text(std::span<const std::uint64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

struct DtypeSum {
  std::uint64_t tensors = 0, bytes = 0;
};

std::string dtypes_text(const Checkpoint& checkpoint, const Style& style) {
  std::array<DtypeSum, kDtypeCount> sums;
  for (const Shard& shard : checkpoint.shards()) {
    for (const TensorInfo& tensor : shard.header().tensors()) {
      DtypeSum& sum = sums.at(static_cast<std::size_t>(tensor.dtype));
      sum.tensors += 1;
      sum.bytes += tensor.size();
    }
  }
  std::vector<Dtype> present;
  for (int i = 0; i < kDtypeCount; ++i) {
    if (sums.at(static_cast<std::size_t>(i)).tensors > 0) present.push_back(static_cast<Dtype>(i));
  }
  const auto sum_of = [&](Dtype dtype) { return sums.at(static_cast<std::size_t>(dtype)); };
  std::stable_sort(present.begin(), present.end(),
                   [&](Dtype a, Dtype b) { return sum_of(a).bytes > sum_of(b).bytes; });
  std::vector<std::string> parts;
  for (const Dtype dtype : present) {
    parts.push_back(fmt::format("{} {} in {}", style.dtype(name(dtype)),
                                style.size(human_bytes(sum_of(dtype).bytes)),
                                counted(sum_of(dtype).tensors, "tensor")));
  }
  return parts.empty() ? "none" : fmt::format("{}", fmt::join(parts, ", "));
}

std::string metadata_text(const Metadata& metadata) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : metadata)
    parts.push_back(fmt::format("{}={}", printable(name), quote(value, 60)));
  return parts.empty() ? "{} (empty)" : fmt::format("{}", fmt::join(parts, ", "));
}

// Shards mostly agree; each metadata is shown once, with how many shards have it.
std::vector<std::string> metadata_lines(const Checkpoint& checkpoint) {
  std::vector<std::pair<std::string, std::size_t>> kinds;
  for (const Shard& shard : checkpoint.shards()) {
    const std::string text = shard.header().metadata() ? metadata_text(*shard.header().metadata()) : "none";
    const auto same =
        std::find_if(kinds.begin(), kinds.end(), [&](const auto& kind) { return kind.first == text; });
    if (same == kinds.end()) {
      kinds.emplace_back(text, 1);
    } else {
      ++same->second;
    }
  }
  std::vector<std::string> lines;
  for (const auto& [text, shards] : kinds) {
    lines.push_back(kinds.size() == 1 ? text : fmt::format("{} (in {})", text, counted(shards, "shard")));
  }
  constexpr std::size_t kMost = 5;
  if (lines.size() > kMost) {
    const std::size_t more = lines.size() - kMost;
    lines.resize(kMost);
    lines.push_back(fmt::format("and {} more kinds", more));
  }
  return lines;
}

std::string shards_text(const Checkpoint& checkpoint) {
  const std::vector<Shard>& shards = checkpoint.shards();
  if (shards.empty()) return "0";
  if (shards.size() == 1) return fmt::format("1: {}", printable(shards.front().name()));
  return fmt::format("{}: {} … {}", grouped(shards.size()), printable(shards.front().name()),
                     printable(shards.back().name()));
}

std::string size_text(const Checkpoint& checkpoint, const Style& style) {
  std::uint64_t headers = 0;
  for (const Shard& shard : checkpoint.shards()) headers += shard.header().data_start();
  const std::uint64_t total = checkpoint.total_size();
  return fmt::format("{} ({} bytes) of tensors, {} of headers", style.size(human_bytes(total)),
                     grouped(total), human_bytes(headers));
}

std::string index_text(const Checkpoint& checkpoint) {
  if (!checkpoint.index()) return "none";
  const Index& index = *checkpoint.index();
  return fmt::format("{}, {}, total_size {}", printable(*checkpoint.place().index_name),
                     counted(index.weight_map.size(), "key"),
                     index.total_size ? grouped(*index.total_size) : "not given");
}

std::string summary(const Checkpoint& checkpoint, const Style& style) {
  std::string out = style.bold(printable(checkpoint.place().is_single_file
                                             ? checkpoint.shards().front().file().path().string()
                                             : checkpoint.place().folder.string())) +
                    '\n';
  const auto line = [&](std::string_view name, const std::string& text) {
    out += fmt::format("  {:<10}{}\n", name, text);
  };
  line("shards", shards_text(checkpoint));
  line("tensors", grouped(checkpoint.tensor_count()));
  line("dtypes", dtypes_text(checkpoint, style));
  line("size", size_text(checkpoint, style));
  std::string_view name = "metadata";
  for (const std::string& text : metadata_lines(checkpoint)) {
    line(name, text);
    name = "";
  }
  line("index", index_text(checkpoint));
  if (!checkpoint.place().other_weights.empty()) {
    std::vector<std::string> others;
    for (const std::string& file : checkpoint.place().other_weights) others.push_back(printable(file));
    line("also here", fmt::format("{}", fmt::join(others, ", ")));
  }
  return out;
}

// The numbers in a label stand out.
std::string styled_label(const std::string& label, const Style& style) {
  const std::string shown = printable(label);
  std::string out;
  std::size_t at = 0;
  while (at < shown.size()) {
    const std::size_t open = std::min(shown.find('{', at), shown.size());
    const std::size_t close = std::min(shown.find('}', open), shown.size());
    out += shown.substr(at, open - at);
    if (open < shown.size()) out += style.number(shown.substr(open, close - open + 1));
    at = close + 1;
  }
  return out;
}

std::string tree(const Checkpoint& checkpoint, const Style& style) {
  std::vector<TreeTensor> tensors;
  tensors.reserve(checkpoint.tensor_count());
  for (const Shard& shard : checkpoint.shards()) {
    for (const TensorInfo& tensor : shard.header().tensors()) {
      tensors.push_back({tensor.key, tensor.dtype, tensor.shape, tensor.size()});
    }
  }
  const std::vector<TreeRow> rows = fold_keys(tensors);

  std::vector<std::string> shapes(rows.size());
  std::size_t label_width = 0, dtype_width = 0, shape_width = 0, count_width = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::size_t width = 2 * static_cast<std::size_t>(rows[i].depth) + columns(printable(rows[i].label));
    label_width = std::max(label_width, std::min(width, kWidestLabel));
    if (rows[i].count > 1) count_width = std::max(count_width, grouped(rows[i].count).size());
    if (rows[i].tensor == nullptr) continue;
    shapes[i] = shape_text(rows[i].tensor->shape);
    dtype_width = std::max(dtype_width, name(rows[i].tensor->dtype).size());
    shape_width = std::max(shape_width, std::min<std::size_t>(shapes[i].size(), 40));
  }
  std::string out;
  const auto padded = [](const std::string& styled, std::size_t shown, std::size_t width) {
    return styled + std::string(width > shown ? width - shown : 0, ' ') + "  ";
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const TreeRow& row = rows[i];
    const std::string indent(2 * static_cast<std::size_t>(row.depth), ' ');
    const std::string label = styled_label(row.label, style);
    out += padded(indent + (row.tensor == nullptr ? style.bold(label) : label),
                  indent.size() + columns(printable(row.label)), label_width);
    const std::string_view dtype = row.tensor == nullptr ? "" : name(row.tensor->dtype);
    out += padded(style.dtype(dtype), dtype.size(), dtype_width);
    out += padded(shapes[i], shapes[i].size(), shape_width);
    const std::string count = row.count > 1 ? grouped(row.count) : "";
    if (count_width > 0) {
      out += std::string(count_width - count.size(), ' ') + (count.empty() ? " " : style.dim("×")) + count +
             "  ";
    }
    out += style.size(fmt::format("{:>8}", human_bytes(row.size))) + '\n';
  }
  return out;
}

}  // namespace

std::string inspect_text(const Checkpoint& checkpoint, const Style& style) {
  const std::string keys = tree(checkpoint, style);
  return summary(checkpoint, style) + (keys.empty() ? "" : "\n") + keys;
}

std::string inspect_keys(const Checkpoint& checkpoint) {
  std::string out;
  for (const Shard& shard : checkpoint.shards()) {
    for (const TensorInfo& tensor : shard.header().tensors()) {
      out += fmt::format("{}\t{}\t{}\t{}\t{}\n", printable(tensor.key), name(tensor.dtype),
                         shape_text(tensor.shape), tensor.size(), printable(shard.name()));
    }
  }
  return out;
}

}  // namespace keyshift::tools
