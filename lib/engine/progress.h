// What long work tells about itself.
#pragma once

#include <cstdint>
#include <string_view>

namespace keyshift {

/// Implemented by whoever shows it; all calls may come from several threads at once but for begin and end.
class Progress {
 public:
  virtual ~Progress() = default;
  /// `total`: bytes that will pass.
  virtual void begin(std::string_view what, std::uint64_t total) = 0;
  virtual void advance(std::uint64_t bytes) = 0;
  virtual void end() = 0;
};

}  // namespace keyshift
