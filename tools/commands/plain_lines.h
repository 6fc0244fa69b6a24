// Lines of plain keys renamed piece by piece, each piece while it is in the processor's caches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "format/seen_hashes.h"
#include "transforms/rename_run.h"
#include "transforms/renamed_keys.h"
#include "transforms/transform_trie.h"

namespace keyshift::tools {

/// Appends the lines of `text`, all of which end in it, to `keys`; the last one may lack its newline. False
/// where a byte is neither printable ASCII nor a newline; `keys` is then no longer of use.
bool split_plain_lines(std::string_view text, std::vector<std::string_view>& keys);

/// True if no byte is a control character (below 0x20).
bool is_free_of_controls(std::string_view text) noexcept;

/// Lines to be written, in memory that is used again.
class LineBlock {
 public:
  std::string_view text() const noexcept { return std::string_view(text_).substr(0, size_); }

 private:
  friend class PlainLines;
  std::string text_;  // as long as there is room
  std::size_t size_ = 0;
};

/// Renames one piece of lines after another. What is not plain is left to others, who take all lines at once:
/// keys or new names with other bytes than printable ones, new names that may be there twice or that no file
/// can hold, failures.
class PlainLines {
 public:
  /// Borrows `trie`.
  explicit PlainLines(const TransformTrie& trie) : run_(trie) {}

  /// `lines`: whole ones. `all_bytes`: of this piece and all others, as far as that is known. False if
  /// something is not plain.
  bool rename(std::string_view lines, std::uint64_t all_bytes, LineBlock& out);

 private:
  bool can_be_written() const;
  void write(std::string_view lines, LineBlock& out);
  bool all_are_new();

  RenameRun run_;
  std::vector<std::string_view> keys_;
  RenamedKeys renamed_;
  std::vector<std::uint64_t> hashes_;
  std::optional<SeenHashes> seen_;  // hashes of all new names
};

}  // namespace keyshift::tools
