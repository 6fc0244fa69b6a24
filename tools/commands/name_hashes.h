// Whether some of many names are the same: answered by their hashes alone, and almost never with yes where
// all differ.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "format/key_index.h"

namespace keyshift::tools {

/// Hashes are only put aside while names come, by their upper bits, so that each part can be looked through
/// later in a table that fits into the processor's caches.
class NameHashes {
 public:
  /// `expected`: names to make room for; more may come.
  explicit NameHashes(std::size_t expected);

  void add(std::string_view name) {
    const std::uint64_t hash = hash_of_key(name);
    const std::size_t part = hash >> (64U - kPartBits);
    Part& to = parts_[part];
    if (to.next == to.limit) return to.more.push_back(hash);
    *to.next++ = hash;
  }

  /// False if all names that were added differ.
  bool may_repeat() const;

 private:
  static constexpr unsigned kPartBits = 6;
  static constexpr std::size_t kParts = std::size_t{1} << kPartBits;

  struct Part {
    std::uint64_t *begin = nullptr, *next = nullptr, *limit = nullptr;
    std::vector<std::uint64_t> more;  // for which there was no room
  };
  static bool repeats(const Part& part);

  std::size_t room_;  // of a part
  std::unique_ptr<std::uint64_t[]> hashes_;
  std::array<Part, kParts> parts_;
};

}  // namespace keyshift::tools
