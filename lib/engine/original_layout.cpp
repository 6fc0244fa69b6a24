#include "engine/original_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

namespace keyshift {

namespace fs = std::filesystem;

namespace {

class OriginalLayout {
 public:
  OriginalLayout(const Receipt& receipt, const Checkpoint& checkpoint, const fs::path& receipt_file)
      : receipt_(receipt), checkpoint_(checkpoint), receipt_file_(receipt_file) {}

  std::vector<PlannedShard> run() {
    refuse_dropped();
    for (std::uint32_t shard = 0; shard < checkpoint_.shards().size(); ++shard) {
      for (const TensorInfo& tensor : checkpoint_.shards()[shard].header().tensors())
        places_.emplace(tensor.key, Place{shard, &tensor});
    }
    std::vector<PlannedShard> shards;
    for (const Receipt::SourceShard& source : receipt_.source_shards) shards.push_back(lay_out(source));
    if (next_row_ != receipt_.tensors.size())
      fail(fmt::format("tells of {} tensors, where the source's headers have {}", receipt_.tensors.size(),
                       next_row_));
    return shards;
  }

 private:
  struct Place {
    std::uint32_t shard;
    const TensorInfo* tensor;
  };

  [[noreturn]] void fail(std::string message) const {
    throw Error(ErrorKind::receipt_invalid, std::move(message)).in(receipt_file_.string());
  }

  void refuse_dropped() const {
    constexpr std::size_t kShown = 3;
    std::vector<std::string> names;
    std::size_t count = 0;
    for (const Receipt::Tensor& tensor : receipt_.tensors) {
      if (tensor.to) continue;
      if (count++ < kShown) names.push_back(quote(tensor.from));
    }
    if (count == 0) return;
    fail(fmt::format(
        "{} of the source's tensors were dropped ({}{}), so the original cannot be made from what "
        "is left; take it from where it came",
        count, fmt::join(names, ", "), count > kShown ? ", …" : ""));
  }

  // The header as the source had it; what the receipt holds is input like any other.
  Header read_header(const Receipt::SourceShard& source, std::string& text) const {
    constexpr std::size_t kReadBehind = 64;  // bytes that the reader may look at behind the header
    text = source.header;
    text.resize(text.size() + kReadBehind);
    const std::span<const std::byte> file(reinterpret_cast<const std::byte*>(text.data()), source.size);
    try {
      const std::uint64_t size = 8 + header_length(file, source.size, source.name);
      if (size == source.header.size()) return Header::read(file, source.name);
      fail(fmt::format("the header of {} in it has {} bytes, and says that they are {}", quote(source.name),
                       source.header.size(), size));
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::receipt_invalid) throw;
      fail(fmt::format("the header of {} in it is none: {}", quote(source.name), error.message()));
    }
  }

  const Place& find(const Receipt::SourceShard& source, const TensorInfo& was,
                    const Receipt::Tensor& row) const {
    if (row.from != was.key)
      fail(fmt::format("tells of {}, where the header of {} in it has {}", quote(row.from),
                       quote(source.name), quote(was.key)));
    const auto found = places_.find(*row.to);
    if (found == places_.end()) fail(fmt::format("tells of {}, which no shard has", quote(*row.to)));
    const TensorInfo& is = *found->second.tensor;
    if (is.dtype != was.dtype || !std::ranges::equal(is.shape, was.shape))
      fail(fmt::format("tells of {} as another dtype or shape than it has", quote(*row.to)));
    return found->second;
  }

  PlannedShard lay_out(const Receipt::SourceShard& source) {
    std::string text;
    const Header header = read_header(source, text);
    if (next_row_ + header.tensors().size() > receipt_.tensors.size())
      fail(fmt::format("tells of {} tensors, where the source's headers have more", receipt_.tensors.size()));
    PlannedShard shard;
    shard.name = source.name;
    shard.header = source.header;
    shard.size = source.size;
    shard.tensors.reserve(header.tensors().size());
    for (const std::uint32_t number : header.by_offset()) {
      const TensorInfo& was = header.tensors()[number];
      const std::size_t row = next_row_ + number;
      const Place& place = find(source, was, receipt_.tensors[row]);
      const std::uint64_t offset =
          checkpoint_.shards()[place.shard].header().data_start() + place.tensor->begin;
      shard.tensors.push_back({row, offset, was.size()});
      append({place.shard, offset, header.data_start() + was.begin, was.size()}, shard.extents);
    }
    next_row_ += header.tensors().size();
    return shard;
  }

  // Neighbours that still are neighbours are one extent.
  static void append(const Extent& next, std::vector<Extent>& extents) {
    if (next.length == 0) return;
    if (!extents.empty()) {
      Extent& last = extents.back();
      if (last.source_shard == next.source_shard && last.source_offset + last.length == next.source_offset) {
        last.length += next.length;
        return;
      }
    }
    extents.push_back(next);
  }

  const Receipt& receipt_;
  const Checkpoint& checkpoint_;
  const fs::path& receipt_file_;
  std::unordered_map<std::string_view, Place> places_;  // by the key that a tensor has now
  std::size_t next_row_ = 0;
};

}  // namespace

std::vector<PlannedShard> original_layout(const Receipt& receipt, const Checkpoint& checkpoint,
                                          const fs::path& receipt_file) {
  return OriginalLayout(receipt, checkpoint, receipt_file).run();
}

}  // namespace keyshift
