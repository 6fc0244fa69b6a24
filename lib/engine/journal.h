// The journal of an in-place run: everything that is needed to finish it or to take it back. Format:
// FORMAT.md, F80 … F82.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"

namespace keyshift {

/// How a shard gets its new header.
enum class Way : std::uint8_t {
  overwrite,  // it has the old one's length: one write
  insert,     // blocks are put in front of the data section: FALLOC_FL_INSERT_RANGE
  collapse,   // blocks in front of the new header are taken out: FALLOC_FL_COLLAPSE_RANGE
  replace,    // a sibling with the new header and the old data takes the shard's name
};
std::string_view name(Way way) noexcept;

struct Journal {
  /// Headers borrow: from who wrote the journal, or from the text that it was read from.
  struct Shard {
    std::string name;  // relative to the journal's folder
    Way way = Way::overwrite;
    std::uint64_t old_size = 0, new_size = 0;  // bytes of the whole file
    std::string_view old_header, new_header;   // the first 8 + n bytes

    // Of a way by which the data section moves: by how many bytes, and between which two.
    std::uint64_t moved() const noexcept { return larger_size() - std::min(old_size, new_size); }
    std::uint64_t larger_size() const noexcept { return std::max(old_size, new_size); }
    std::string_view longer_header() const noexcept { return old_size > new_size ? old_header : new_header; }
    std::string_view shorter_header() const noexcept { return old_size > new_size ? new_header : old_header; }
  };
  struct Contents {
    std::uint64_t size = 0;
    Digest digest;
    bool operator==(const Contents&) const = default;
  };
  /// A small file that is replaced as a whole: index, receipt. Absent: it is not there.
  struct Text {
    std::string name;
    std::optional<Contents> before, after;
  };

  std::vector<Shard> shards;
  std::vector<Text> texts;
};

/// Appends the journal to the open, empty file `path`. Nothing is flushed. Errors: io.
void write_journal(const Journal& journal, int descriptor, const std::filesystem::path& path);

/// A journal with the text that its headers borrow from.
struct OpenedJournal {
  std::filesystem::path path;
  std::string text;
  Journal journal;
};
/// `text`: the whole file. Errors: journal_invalid; a journal is never cut by a crash (F83).
OpenedJournal parse_journal(std::string text, const std::filesystem::path& path);
OpenedJournal read_journal(const std::filesystem::path& path);

}  // namespace keyshift
