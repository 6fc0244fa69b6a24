#include "engine/tensor_digests.h"

#include <algorithm>

namespace keyshift {

TensorDigests::TensorDigests(std::span<const PlannedTensor> tensors) : tensors_(tensors) {
  digests_.reserve(tensors.size());
  finish_complete();
}

void TensorDigests::update(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const std::uint64_t left = tensors_[digests_.size()].size - seen_;
    const auto part = bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(left, bytes.size())));
    hasher_.update(part);
    seen_ += part.size();
    bytes = bytes.subspan(part.size());
    finish_complete();
  }
}

void TensorDigests::skip(std::uint64_t bytes) {
  while (bytes > 0) {
    const std::uint64_t size = tensors_[digests_.size()].size;
    if (size > 0) {
      digests_.emplace_back();
    } else {
      digests_.emplace_back(digest_of(std::string_view()));
    }
    bytes -= std::min(bytes, size);
  }
  finish_complete();
}

void TensorDigests::finish_complete() {
  while (digests_.size() < tensors_.size() && seen_ == tensors_[digests_.size()].size) {
    digests_.emplace_back(hasher_.value());
    hasher_.reset();
    seen_ = 0;
  }
}

}  // namespace keyshift
