#include "tools/commands/plain_lines.h"

#ifdef __SSE2__
#include <immintrin.h>
#endif

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/error.h"
#include "format/header.h"
#include "format/key_index.h"

namespace keyshift::tools {

namespace {

/// Copies keys of one text, in whole vectors where the text goes on for so long behind the key.
class KeyCopier {
 public:
  static constexpr std::size_t kSlack = 32;  // bytes that may be written behind a key

  explicit KeyCopier(std::string_view text) : text_end_(text.data() + text.size()) {}

  /// Returns where the key ends.
  char* copy(std::string_view key, char* to) const noexcept {
    if (key.size() + kSlack <= static_cast<std::size_t>(text_end_ - key.data())) {
      for (std::size_t at = 0; at < key.size(); at += kSlack) std::memcpy(to + at, key.data() + at, kSlack);
    } else if (!key.empty()) {
      std::memcpy(to, key.data(), key.size());
    }
    return to + key.size();
  }

 private:
  const char* text_end_;
};

}  // namespace

bool split_plain_lines(std::string_view text, std::vector<std::string_view>& keys) {
  const char* begin = text.data();  // of the line
  const auto end_line = [&](const char* end) {
    keys.emplace_back(begin, static_cast<std::size_t>(end - begin));
    begin = end + 1;
  };
  std::size_t at = 0;
#ifdef __SSE2__
  const auto bits16 = [](__m128i bytes) {
    return static_cast<std::uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(bytes)));
  };
  for (; text.size() - at >= 64; at += 64) {
    std::uint64_t newlines = 0, others = 0;
    for (std::size_t i = 0; i < 64; i += 16) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at + i));
      newlines |= bits16(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n'))) << i;
      others |= bits16(_mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20))) << i;  // signed: from 0x80 on too
    }
    if (others != newlines) return false;
    for (; newlines != 0; newlines &= newlines - 1)
      end_line(text.data() + at + static_cast<std::size_t>(std::countr_zero(newlines)));
  }
#endif
  for (; at != text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte == '\n') {
      end_line(text.data() + at);
    } else if (byte < 0x20 || byte > 0x7F) {
      return false;
    }
  }
  if (begin != text.data() + text.size()) end_line(text.data() + text.size());
  return true;
}

bool is_free_of_controls(std::string_view text) noexcept {
  std::uint8_t found = 0;
  for (const char c : text) found |= static_cast<std::uint8_t>(static_cast<unsigned char>(c) < 0x20);
  return found == 0;
}

bool PlainLines::rename(std::string_view lines, std::uint64_t all_bytes, LineBlock& out) {
  keys_.clear();
  if (!split_plain_lines(lines, keys_)) return false;
  renamed_.clear();
  try {
    run_.rename(keys_, renamed_);
  } catch (const Error&) {
    return false;  // some line before it may have to be named instead
  }
  if (!is_free_of_controls(renamed_.text()) || !can_be_written()) return false;
  // The first piece tells how long a line is.
  if (!seen_) seen_.emplace(static_cast<std::size_t>(all_bytes / (lines.size() / keys_.size())));
  write(lines, out);
  return all_are_new();
}

bool PlainLines::can_be_written() const {
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    const std::string_view to = renamed_[i];
    if (to.empty() || to == kMetadataKey) return false;
  }
  return true;
}

void PlainLines::write(std::string_view lines, LineBlock& out) {
  const std::string_view made = renamed_.text();
  const std::size_t most = lines.size() + made.size() + 2 * keys_.size() + KeyCopier::kSlack;
  if (out.text_.size() < most) out.text_.resize(most + most / 4);
  const KeyCopier old_keys(lines), new_keys(made);
  hashes_.resize(keys_.size());
  char* at = out.text_.data();
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    const std::string_view to = renamed_[i];
    at = old_keys.copy(keys_[i], at);
    *at++ = '\t';
    at = new_keys.copy(to, at);
    *at++ = '\n';
    hashes_[i] = hash_of_key(to);
  }
  out.size_ = static_cast<std::size_t>(at - out.text_.data());
}

bool PlainLines::all_are_new() {
  constexpr std::size_t kAhead = 24;  // places that are asked for before the first is looked at
  for (std::size_t i = 0; i < std::min(kAhead, hashes_.size()); ++i) seen_->prefetch(hashes_[i]);
  for (std::size_t i = 0; i < hashes_.size(); ++i) {
    if (i + kAhead < hashes_.size()) seen_->prefetch(hashes_[i + kAhead]);
    if (!seen_->insert(hashes_[i])) return false;
  }
  return true;
}

}  // namespace keyshift::tools
