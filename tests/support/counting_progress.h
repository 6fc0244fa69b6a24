#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "engine/progress.h"

namespace keyshift::test {

/// Counts what it is told.
class CountingProgress : public Progress {
 public:
  void begin(std::string_view, std::uint64_t total) override { total_ += total; }
  void advance(std::uint64_t bytes) override { seen_ += bytes; }
  void end() override {}
  std::uint64_t total() const { return total_; }
  std::uint64_t seen() const { return seen_; }

 private:
  std::uint64_t total_ = 0;
  std::atomic<std::uint64_t> seen_{0};
};

}  // namespace keyshift::test
