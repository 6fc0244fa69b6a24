#include "format/header_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <tuple>

#include "base/checked.h"
#include "base/error.h"

namespace keyshift {

namespace {

auto place(const TensorInfo& tensor) { return std::tuple(tensor.begin, tensor.end); }

std::vector<std::uint32_t> order_by_offset(std::span<const TensorInfo> tensors) {
  std::vector<std::uint32_t> order(tensors.size());
  std::iota(order.begin(), order.end(), 0U);
  const auto before = [&](std::uint32_t a, std::uint32_t b) { return place(tensors[a]) < place(tensors[b]); };
  // What the safetensors library writes is in order already.
  if (!std::is_sorted(order.begin(), order.end(), before))
    std::stable_sort(order.begin(), order.end(), before);
  return order;
}

std::string shape_text(std::span<const std::uint64_t> shape) {
  constexpr std::size_t kShown = 16;
  return fmt::format("[{}{}]", fmt::join(shape.first(std::min(shape.size(), kShown)), ", "),
                     shape.size() > kShown ? ", …" : "");
}

class Sweep {
 public:
  Sweep(std::span<const TensorInfo> tensors, const std::string& file_name)
      : tensors_(tensors), file_name_(file_name) {}

  // Returns where the last tensor ends.
  std::uint64_t run(std::span<const std::uint32_t> order) {
    for (const std::uint32_t i : order) {
      check_place(tensors_[i]);
      check_size(tensors_[i]);
      previous_ = &tensors_[i];
      end_ = tensors_[i].end;
    }
    return end_;
  }

 private:
  [[noreturn]] void fail(ErrorKind kind, const TensorInfo& tensor, std::string message) const {
    throw Error(kind, std::move(message)).in(file_name_).at(tensor.text_offset).for_key(tensor.key);
  }

  std::string previous_name() const {
    return previous_ == nullptr ? std::string("the data section")
                                : fmt::format("the tensor {}", quote(previous_->key));
  }

  void check_place(const TensorInfo& tensor) const {
    if (tensor.begin == end_ && tensor.end >= tensor.begin) return;
    if (tensor.end < tensor.begin) {
      fail(ErrorKind::offsets_invalid, tensor,
           fmt::format("data_offsets [{}, {}] end before they begin", tensor.begin, tensor.end));
    }
    if (tensor.begin > end_) {
      fail(ErrorKind::offsets_invalid, tensor,
           fmt::format("data_offsets [{}, {}] leave a hole of {} bytes, {} {} at {}: every byte of the data "
                       "section must belong to exactly one tensor",
                       tensor.begin, tensor.end, tensor.begin - end_, previous_name(),
                       previous_ == nullptr ? "starts" : "ends", end_));
    }
    fail(
        ErrorKind::offsets_invalid, tensor,
        fmt::format("data_offsets [{}, {}] overlap {}, which ends at {}: every byte of the data section must "
                    "belong to exactly one tensor",
                    tensor.begin, tensor.end, previous_name(), end_));
  }

  void check_size(const TensorInfo& tensor) const {
    // From left to right: [2^63, 2, 0] overflows, [0, 2^63, 2] does not.
    std::optional<std::uint64_t> elements = 1;
    for (const std::uint64_t dimension : tensor.shape) {
      if (elements) elements = checked_multiply(*elements, dimension);
    }
    const auto bit_count =
        elements ? checked_multiply(*elements, static_cast<std::uint64_t>(bits(tensor.dtype))) : std::nullopt;
    if (!bit_count) {
      fail(ErrorKind::size_overflow, tensor,
           fmt::format("the shape {} of {} has more than 2^64 bits", shape_text(tensor.shape),
                       name(tensor.dtype)));
    }
    if (*bit_count % 8 != 0) {
      fail(ErrorKind::size_misaligned, tensor,
           fmt::format("the shape {} of {} has {} bits, which are no whole bytes", shape_text(tensor.shape),
                       name(tensor.dtype), *bit_count));
    }
    if (*bit_count / 8 != tensor.size()) {
      fail(ErrorKind::size_mismatch, tensor,
           fmt::format("the shape {} of {} needs {} bytes, data_offsets [{}, {}] hold {}",
                       shape_text(tensor.shape), name(tensor.dtype), *bit_count / 8, tensor.begin, tensor.end,
                       tensor.size()));
    }
  }

  std::span<const TensorInfo> tensors_;
  const std::string& file_name_;
  const TensorInfo* previous_ = nullptr;
  std::uint64_t end_ = 0;
};

}  // namespace

std::vector<std::uint32_t> check_layout(std::span<const TensorInfo> tensors, std::uint64_t data_start,
                                        std::uint64_t file_size, const std::string& file_name) {
  std::vector<std::uint32_t> order = order_by_offset(tensors);
  const std::uint64_t end = Sweep(tensors, file_name).run(order);
  const std::uint64_t data_size = file_size - data_start;
  if (end > data_size) {
    throw Error(
        ErrorKind::data_not_covered,
        fmt::format("the file is {} bytes shorter than its header says ({} bytes of tensors, {} are there): "
                    "the download or the copy was cut, fetch it again",
                    end - data_size, end, data_size))
        .in(file_name)
        .at(file_size);
  }
  if (end < data_size) {
    throw Error(
        ErrorKind::data_not_covered,
        fmt::format("{} bytes at the end of the file belong to no tensor (the header tells of {} bytes of "
                    "tensors, {} are there): the file is damaged or its writer is, fetch it again",
                    data_size - end, end, data_size))
        .in(file_name)
        .at(data_start + end);
  }
  return order;
}

}  // namespace keyshift
