#include "engine/receipt_file.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/file_system.h"
#include "base/output_stream.h"

namespace keyshift {

namespace fs = std::filesystem;

namespace {

Error usage(const fs::path& path, std::string message) {
  return Error(ErrorKind::usage, std::move(message)).in(path.string());
}

}  // namespace

ReceiptFile ReceiptFile::prepare(const fs::path& path, const CheckpointPlace& source,
                                 const fs::path& destination, bool force) {
  ReceiptFile file;
  file.place_ = canonical_place(path);
  const fs::path folder = file.place_.parent_path();
  std::error_code ignored;
  if (is_inside(file.place_, canonical_place(destination))) {
    throw usage(
        file.place_,
        "lies in the destination, where the receipt goes without --receipt anyway; leave the option away, "
        "or name another place");
  }
  const fs::path source_folder = canonical_place(source.folder);
  if (source.is_single_file ? file.place_ == source_folder / source.shard_names.front()
                            : is_inside(file.place_, source_folder))
    throw usage(file.place_, "lies in the source, which is never written to; name another place");
  if (fs::is_directory(file.place_, ignored)) throw usage(file.place_, "is a folder; name a file");
  if (!fs::is_directory(folder, ignored))
    throw usage(file.place_, "its folder does not exist; make it first");
  file.replace_ = fs::exists(fs::symlink_status(file.place_, ignored));
  if (file.replace_ && !force)
    throw usage(file.place_, "exists; choose another name for the receipt, or --force to replace it");
  file.temporary_ = folder / ("." + file.place_.filename().string() + ".keyshift-tmp");
  return file;
}

ReceiptFile::ReceiptFile(ReceiptFile&& other) noexcept
    : place_(std::move(other.place_)),
      temporary_(std::move(other.temporary_)),
      replace_(other.replace_),
      written_(std::exchange(other.written_, false)),
      withdraw_(std::exchange(other.withdraw_, false)) {}

ReceiptFile::~ReceiptFile() {
  std::error_code ignored;
  if (written_) fs::remove(temporary_, ignored);
  if (withdraw_) fs::remove(place_, ignored);
}

Digest ReceiptFile::write(const TextPieces& text) {
  remove_tree(temporary_);  // of a run that died
  OutputStream out = OutputStream::to_file(temporary_, {.write_call = {}});
  written_ = true;
  for (const std::string_view piece : text.pieces()) out.write(piece);
  return out.finish().digest;
}

void ReceiptFile::publish() {
  if (replace_) {
    std::error_code failure;
    fs::rename(temporary_, place_, failure);
    if (failure) throw io_error("cannot put the receipt there", failure.value()).in(place_.string());
  } else {
    rename_no_replace(temporary_, place_);
    withdraw_ = true;
  }
  written_ = false;
  sync_folder(place_.parent_path());
}

}  // namespace keyshift
