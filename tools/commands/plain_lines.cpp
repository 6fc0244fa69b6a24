#include "tools/commands/plain_lines.h"

#ifdef __SSE2__
#include <immintrin.h>
#endif

#include <algorithm>
#include <bit>

#include "base/error.h"
#include "format/header.h"

namespace keyshift::tools {

namespace {

bool has_control(std::string_view text) noexcept {
  return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

// A new name is made of parts of the key and of what the transforms say.
bool may_make_controls(const TransformTrie& trie) {
  if (trie.has_mappings()) return true;  // their templates have escapes
  return std::any_of(trie.steps().begin(), trie.steps().end(), [](const TransformTrie::Step& step) {
    const std::vector<std::string>& targets = step.transform->target_patterns();
    return std::any_of(targets.begin(), targets.end(), has_control);
  });
}

#ifdef __SSE2__
// Bits of the newlines among 64 bytes; false if another byte is not printable ASCII.
bool find_newlines(const char* text, std::uint64_t& newlines) noexcept {
  const auto bits16 = [](__m128i bytes) {
    return static_cast<std::uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(bytes)));
  };
  newlines = 0;
  std::uint64_t others = 0;
  for (std::size_t i = 0; i < 64; i += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text + i));
    newlines |= bits16(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n'))) << i;
    others |= bits16(_mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20))) << i;  // signed: from 0x80 on too
  }
  return others == newlines;
}
#endif

}  // namespace

bool LineSplitter::split(std::string_view text, std::vector<std::string_view>& keys) {
  ends_.resize(text.size() + 4);
  std::uint32_t* end = ends_.data();
  std::size_t at = 0;
#ifdef __SSE2__
  for (std::uint64_t newlines = 0; text.size() - at >= 64; at += 64) {
    if (!find_newlines(text.data() + at, newlines)) return false;
    const auto place = [&](std::uint64_t bits) {
      return static_cast<std::uint32_t>(at) + static_cast<std::uint32_t>(std::countr_zero(bits));
    };
    // Two are written whether they are there or not: the processor cannot guess how many there are.
    const std::uint64_t second = newlines & (newlines - 1);
    end[0] = place(newlines);
    end[1] = place(second);
    end += (newlines != 0 ? 1 : 0) + (second != 0 ? 1 : 0);
    for (newlines = second & (second - 1); newlines != 0; newlines &= newlines - 1) *end++ = place(newlines);
  }
#endif
  for (; at != text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte == '\n') {
      *end++ = static_cast<std::uint32_t>(at);
    } else if (byte < 0x20 || byte > 0x7F) {
      return false;
    }
  }
  if (!text.empty() && text.back() != '\n') *end++ = static_cast<std::uint32_t>(text.size());
  keys.resize(static_cast<std::size_t>(end - ends_.data()));
  std::uint32_t begin = 0;
  for (std::size_t i = 0; i < keys.size(); begin = ends_[i++] + 1)
    keys[i] = std::string_view(text.data() + begin, ends_[i] - begin);
  return true;
}

PlainLines::PlainLines(const TransformTrie& trie, std::uint64_t all_bytes)
    : all_bytes_(all_bytes), may_make_controls_(may_make_controls(trie)), run_(trie) {}

bool PlainLines::rename(std::string_view lines, RenamedKeys& out) {
  if (!splitter_.split(lines, keys_)) return false;
  out.clear();
  try {
    run_.write_lines(keys_, out);
  } catch (const Error&) {
    return false;  // some line before it may have to be named instead
  }
  if (!names_) {  // this first piece tells how long a line is; a file's size may say anything
    constexpr std::uint64_t kMostExpected = std::uint64_t{1} << 26U;
    names_.emplace(
        static_cast<std::size_t>(std::min(all_bytes_ / (lines.size() / keys_.size()), kMostExpected)));
  }
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    std::string_view name = out[i];
    name.remove_prefix(keys_[i].size() + 1);
    name.remove_suffix(1);
    if (!is_plain(name)) return false;
    names_->add(name);
  }
  return true;
}

bool PlainLines::is_plain(std::string_view name) const noexcept {
  return !name.empty() && name != kMetadataKey && !(may_make_controls_ && has_control(name));
}

}  // namespace keyshift::tools
