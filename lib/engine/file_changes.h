// Changes to the files of a checkpoint where they stand: all of them or none, whatever happens meanwhile.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/interrupt.h"
#include "base/text_pieces.h"
#include "engine/progress.h"
#include "format/checkpoint.h"

namespace keyshift {

/// How a shard gets its new header, cheapest first.
enum class HeaderWay : std::uint8_t {
  overwrite,  // it has the old one's length: one write
  insert,     // blocks are put in before the data section, which does not move on the disk
  collapse,   // blocks are taken out before the data section
  share,      // a new file with the new header shares the blocks of the data section
  copy,       // a new file with the new header and a copy of the data section
};
std::string_view name(HeaderWay way) noexcept;

// Both borrow their texts.
struct HeaderChange {
  std::uint32_t shard = 0;  // index into checkpoint.shards()
  std::string_view header;  // the first 8 + n bytes that the file is to have
};
struct TextChange {  // a small file in the checkpoint's folder, replaced as a whole
  std::string name;
  std::optional<std::string_view> before;  // absent: it is not there
  std::optional<TextPieces> after;         // absent: it is to go
};

/// What is to be done, with the way for each shard; nothing has been changed yet. Borrows the checkpoint.
struct FileChanges {
  const Checkpoint* checkpoint = nullptr;
  std::vector<HeaderChange> headers;
  std::vector<HeaderWay> ways;  // one for each of `headers`
  std::vector<TextChange> texts;
  std::uint64_t needed_bytes = 0;  // free space for what is prepared and for the journal
};

/// Checks that every file may be changed, and chooses the ways; what the file system can do is tried out on
/// files without a name. Errors: usage (a link, a file with more than one hard link, another place is needed
/// …), io (it is open for writing elsewhere, may not be written, lies on a read-only file system), each with
/// what to do.
FileChanges plan_changes(const Checkpoint& checkpoint, std::vector<HeaderChange> headers,
                         std::vector<TextChange> texts);

/// Carries them out behind a journal. Until that is published, an error or an interruption leaves everything
/// as it was; from there on it is finished, or on an error rolled back (then nothing has changed either), or,
/// where that fails too, the message names `keyshift recover`. The headers that `changes.checkpoint` has
/// mapped are no longer what they were. Errors: io, usage (too little space is io), source_changed,
/// interrupted.
void carry_out(const FileChanges& changes, unsigned jobs, Progress& progress, const Interrupt& interrupt);

}  // namespace keyshift
