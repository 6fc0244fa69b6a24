// How the bytes of an extent come into an output shard: blocks that are shared, a copy in the kernel, or a
// stream through this process that digests what it sees.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/function_ref.h"
#include "base/interrupt.h"
#include "base/mapped_file.h"
#include "base/output_stream.h"
#include "plan/plan.h"

namespace keyshift {

/// From the cheapest to the dearest.
enum class CopyWay : std::uint8_t { reflink, range, stream };
std::string_view name(CopyWay way) noexcept;

/// What a strategy needs from its caller.
struct CopyContext {
  OutputStream& out;
  /// Told every byte, in order, that is to be digested for its tensor; and those of the whole file.
  function_ref<void(std::span<const std::byte>)> digest;
  function_ref<void(std::uint64_t)> advance;  // progress
  const Interrupt& interrupt;
  bool digested = true;  // whether bytes are to be seen at all, if need be by reading them besides
};

class CopyStrategy {
 public:
  virtual ~CopyStrategy() = default;
  virtual CopyWay way() const noexcept = 0;
  /// Appends the extent to `context.out`. Where the file system refuses after all, the next dearer way is
  /// gone. Errors: io of either side, interrupted.
  virtual void copy(const MappedFile& source, const Extent& extent, const CopyContext& context) const = 0;
};

const CopyStrategy& strategy(CopyWay way) noexcept;

/// Whether whole blocks of an extent can lie in both files: its ends are congruent modulo 4096.
bool is_shareable(const Extent& extent) noexcept;

/// Hands `length` bytes from `offset` to `use`, piece by piece, and lets go of the memory behind it. Errors:
/// io, interrupted.
void read_through(const MappedFile& file, std::uint64_t offset, std::uint64_t length,
                  const Interrupt& interrupt, function_ref<void(std::span<const std::byte>)> use);

}  // namespace keyshift
