// A receipt at a place of its own (--receipt), outside of what a conversion writes.
#pragma once

#include <filesystem>

#include "base/text_pieces.h"
#include "format/checkpoint.h"

namespace keyshift {

/// Written beside its place, and brought there just before the output appears; taken away again if that
/// fails.
class ReceiptFile {
 public:
  /// Checks the place. Errors: usage (it exists and `force` is not set; it is a folder, lies in the source's
  /// folder or in `destination`, or in a folder that is not there).
  static ReceiptFile prepare(const std::filesystem::path& path, const CheckpointPlace& source,
                             const std::filesystem::path& destination, bool force);
  ReceiptFile(ReceiptFile&&) noexcept;
  ReceiptFile& operator=(ReceiptFile&&) = delete;
  ~ReceiptFile();

  /// Errors: io.
  Digest write(const TextPieces& text);
  void publish();
  /// The output is there, so the receipt stays.
  void keep() noexcept { withdraw_ = false; }
  const std::filesystem::path& place() const noexcept { return place_; }

 private:
  ReceiptFile() = default;

  std::filesystem::path place_, temporary_;
  bool replace_ = false;   // a receipt that is there gives way
  bool written_ = false;   // the temporary one is there
  bool withdraw_ = false;  // it was published, and the output not yet
};

}  // namespace keyshift
