// The one exception type of keyshift. Only tools/ turns it into text on stderr and an exit code.
#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

namespace keyshift {

/// What went wrong. One kind for each rule that can be broken, so that callers and tests need not read
/// messages. Rules F… are those of lib/format/FORMAT.md, T… those of lib/transforms/TRANSFORMS.md.
enum class ErrorKind : std::uint8_t {
  // The request itself cannot be carried out as it was put.
  usage,
  // Header of a shard (F1 … F12).
  header_too_small,
  header_too_large,
  header_beyond_file,
  header_not_utf8,
  header_not_json,
  header_not_object,
  metadata_invalid,
  entry_invalid,
  dtype_unknown,
  offsets_invalid,
  size_overflow,
  size_misaligned,
  size_mismatch,
  data_not_covered,
  // Index and checkpoint (F20 …).
  index_invalid,
  index_mismatch,
  shard_missing,
  shard_name_unsafe,
  key_in_two_shards,
  checkpoint_not_found,
  checkpoint_ambiguous,
  // Transform files and patterns (T…).
  transform_file_invalid,
  transform_unknown,
  transform_invalid,
  pattern_invalid,
  pattern_limit,
  rename_failed,
  // Results of a renaming that cannot be written.
  collision,
  key_empty,
  key_reserved,
  key_not_utf8,
  operation_unsupported,
  // Receipts and what lies around them.
  receipt_invalid,
  journal_present,
  journal_invalid,
  source_changed,
  // Other files that a command reads: digests and statements, a list of a batch, a config.json.
  manifest_invalid,
  batch_invalid,
  config_invalid,
  // The operating system said no.
  io,
  // The user pressed ^C.
  interrupted,
};

/// Who has to act: decides the exit code in tools/.
enum class ErrorCategory : std::uint8_t { usage, input, io, interrupted };

ErrorCategory category(ErrorKind kind) noexcept;
/// The kind's name as it is spelled in this header, e.g. "header_not_json"; for JSON output.
std::string_view name(ErrorKind kind) noexcept;

/// An error with its place. `what()` is the whole text for a person: file, place, key, message, excerpt.
class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string message) : kind_(kind), message_(std::move(message)) {}

  /// Builders, so that a throw reads as one sentence: `throw Error(kind,
  /// "…").in(file).at(offset).for_key(key);`
  Error&& in(std::string file) &&;
  /// `offset`: bytes from the start of the file.
  Error&& at(std::uint64_t offset) &&;
  Error&& for_key(std::string_view key) &&;
  /// Line, column and a caret under the place: `text` is the whole text of the file, `offset` bytes into it.
  Error&& showing(std::string_view text, std::uint64_t offset) &&;

  ErrorKind kind() const noexcept { return kind_; }
  const std::string& file() const noexcept { return file_; }
  std::optional<std::uint64_t> offset() const noexcept { return offset_; }
  const std::optional<std::string>& key() const noexcept { return key_; }
  const std::string& message() const noexcept { return message_; }
  const char* what() const noexcept override;

 private:
  void render();

  ErrorKind kind_;
  std::string file_;
  std::optional<std::uint64_t> offset_;
  std::optional<std::string> key_;
  std::string message_;
  std::string position_;  // "line:column", set by showing()
  std::string excerpt_;
  mutable std::string text_;
};

/// An Error of kind `io` that tells what was tried and errno's text, e.g. "cannot write: No space left on
/// device".
Error io_error(std::string_view what_was_tried, int errno_value);

/// `text` fit for a terminal or a message: control characters and invalid UTF-8 as \xNN, quotes around it,
/// and cut in the middle beyond `limit` bytes. Keys and file names are hostile; every message shows them
/// through this.
std::string quote(std::string_view text, std::size_t limit = 200);

}  // namespace keyshift
