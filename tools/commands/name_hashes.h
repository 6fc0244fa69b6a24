// Whether some of many names are the same: answered by their hashes alone, and almost never with yes where
// all differ.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace keyshift::tools {

/// Hashes are only put aside while names come, by their upper bits, so that each part can be looked through
/// later in a table that fits into the processor's caches.
class NameHashes {
 public:
  /// `expected`: names to make room for; more may come.
  explicit NameHashes(std::size_t expected);

  void add(std::string_view name) {
    const std::uint64_t hash = hash_of(name);
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

  __extension__ using Wide = unsigned __int128;
  static std::uint64_t mixed(std::uint64_t a, std::uint64_t b) noexcept {
    const Wide product = Wide{a} * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
  }
  static std::uint64_t word_at(const char* text) noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, text, sizeof word);
    return word;
  }

  // Products of words, as wyhash makes them, with secrets of this process: nobody can choose names for it.
  std::uint64_t product_at(const char* text, std::size_t secret) const noexcept {
    return mixed(word_at(text) ^ secrets_[secret], word_at(text + 8) ^ secrets_[secret + 1]);
  }
  std::uint64_t hash_of(std::string_view name) const noexcept {
    const char* const text = name.data();
    const char* const end = text + name.size();
    std::uint64_t sum = name.size();
    if (name.size() < 16) {
      char few[16] = {};
      if (!name.empty()) std::memcpy(few, text, name.size());
      sum += product_at(few, 0);
    } else if (name.size() < 32) {
      sum += product_at(text, 0) + product_at(end - 16, 2);
    } else {  // no product waits for another one
      for (const char* at = text + 32; at + 32 < end; at += 16)
        sum = mixed(sum ^ product_at(at, 0), secrets_[5]);
      sum +=
          product_at(text, 0) + product_at(text + 16, 1) + product_at(end - 32, 2) + product_at(end - 16, 3);
    }
    return mixed(sum, secrets_[5]);
  }
  struct Part {
    std::uint64_t *begin = nullptr, *next = nullptr, *limit = nullptr;
    std::vector<std::uint64_t> more;  // for which there was no room
  };
  static bool repeats(const Part& part);

  std::array<std::uint64_t, 6> secrets_;
  std::size_t room_;  // of a part
  std::unique_ptr<std::uint64_t[]> hashes_;
  std::array<Part, kParts> parts_;
};

}  // namespace keyshift::tools
