// Lines of plain keys renamed piece by piece, each piece while it is in the processor's caches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "tools/commands/name_hashes.h"
#include "transforms/rename_run.h"
#include "transforms/renamed_keys.h"
#include "transforms/transform_trie.h"

namespace keyshift::tools {

/// Finds the lines of a text of less than 4 GiB.
class LineSplitter {
 public:
  /// `keys` become the lines; the last one may lack its newline. False where a byte is neither printable
  /// ASCII nor a newline.
  bool split(std::string_view text, std::vector<std::string_view>& keys);

 private:
  std::vector<std::uint32_t> ends_;
};

/// Renames one piece of lines after another. What is not plain is left to others, who take all lines at once:
/// keys with other bytes than printable ones, new names that no line or file can hold or that may be there
/// twice, failures.
class PlainLines {
 public:
  /// Borrows `trie`, whose renaming takes one key without the others. `all_bytes`: of all pieces, as far as
  /// that is known.
  PlainLines(const TransformTrie& trie, std::uint64_t all_bytes);

  /// Makes the lines `old<TAB>new` of whole lines: out.text(). False if something is not plain.
  bool rename(std::string_view lines, RenamedKeys& out);
  /// Of all pieces: true if all new names differ.
  bool all_differ() const { return !names_ || !names_->may_repeat(); }

 private:
  bool is_plain(std::string_view name) const noexcept;

  std::uint64_t all_bytes_;
  bool may_make_controls_;  // the transforms, of keys that have none
  RenameRun run_;
  LineSplitter splitter_;
  std::vector<std::string_view> keys_;
  std::optional<NameHashes> names_;
};

}  // namespace keyshift::tools
