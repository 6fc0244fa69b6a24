#include "engine/resume_notes.h"

#include <fmt/format.h>

#include <set>
#include <sstream>

#include "base/file_system.h"
#include "base/in_place_file.h"
#include "base/mapped_file.h"
#include "base/sha.h"
#include "engine/copy_strategy.h"

namespace keyshift {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kName = ".keyshift-notes";
constexpr std::string_view kSchema = "keyshift-notes/1";
constexpr std::uint64_t kLimit = std::uint64_t{1} << 30U;  // bytes of notes

void add(Hasher& hasher, std::string_view text) {
  const std::uint64_t size = text.size();
  hasher.update(std::as_bytes(std::span(&size, 1)));
  hasher.update(std::as_bytes(std::span(text)));
}

template <class... Numbers>
void add_numbers(Hasher& hasher, Numbers... numbers) {
  const std::uint64_t all[] = {static_cast<std::uint64_t>(numbers)...};
  hasher.update(std::as_bytes(std::span(all)));
}

// "shard NUMBER SIZE DIGEST TENSOR… ." with a digest, or -, for each tensor; the dot says that the line is
// whole.
std::string line_of(std::size_t shard, const WrittenShard& written) {
  std::string line = fmt::format("shard {} {} {}", shard, written.size, written.digest->hex());
  for (const std::optional<Digest>& tensor : written.tensors) line += ' ' + (tensor ? tensor->hex() : "-");
  return line + " .\n";
}

std::optional<std::pair<std::size_t, WrittenShard>> parse(const std::string& line, const Plan& plan) {
  std::istringstream words(line);
  std::string word, digest;
  std::size_t shard = 0;
  WrittenShard written;
  if (!(words >> word >> shard >> written.size >> digest) || word != "shard" || shard >= plan.shards.size())
    return std::nullopt;
  written.digest = Digest::from_hex(digest);
  if (!written.digest) return std::nullopt;
  while (words >> word && word != ".") {
    const std::optional<Digest> tensor = Digest::from_hex(word);
    if (!tensor && word != "-") return std::nullopt;
    written.tensors.push_back(tensor);
  }
  if (word != "." || written.tensors.size() != plan.shards[shard].tensors.size()) return std::nullopt;
  return std::pair(shard, std::move(written));
}

}  // namespace

Digest identity_of(const Plan& plan) {
  Hasher hasher;
  for (const PlannedShard& shard : plan.shards) {
    add(hasher, shard.name);
    add(hasher, shard.header);
    add_numbers(hasher, shard.extents.size(), shard.tensors.size());
    for (const Extent& extent : shard.extents)
      add_numbers(hasher, extent.source_shard, extent.source_offset, extent.target_offset, extent.length);
  }
  for (const Shard& source : plan.keys->checkpoint().shards()) {
    const FileIdentity& file = source.file().identity();
    add(hasher, source.name());
    add_numbers(hasher, file.device, file.inode, file.size, file.modified, file.changed);
  }
  return hasher.value();
}

ResumeNotes::ResumeNotes(const fs::path& folder, const Plan& plan, bool resume)
    : folder_(folder), path_(folder / kName), plan_(plan) {
  known_.resize(plan.shards.size());
  if (resume) read();
  remove_all_but_noted();
  if (end_ > 0) {
    file_ = open_for_changes(path_);
  } else {
    file_ = create_file(path_);
    append(fmt::format("{} {}\n", kSchema, identity_of(plan).hex()));
  }
}

// Lines up to the first that is not whole: the run that wrote it was killed.
void ResumeNotes::read() {
  std::error_code ignored;
  if (!fs::is_regular_file(fs::symlink_status(path_, ignored))) return;
  const std::string text = read_small_file(path_, kLimit);
  const std::string first = fmt::format("{} {}\n", kSchema, identity_of(plan_).hex());
  if (!text.starts_with(first)) return;
  end_ = first.size();
  while (true) {
    const std::size_t newline = text.find('\n', end_);
    if (newline == std::string::npos) return;
    auto noted = parse(text.substr(end_, newline - end_), plan_);
    if (!noted) return;
    known_[noted->first] = std::move(noted->second);
    end_ = newline + 1;
  }
}

void ResumeNotes::remove_all_but_noted() const {
  std::set<fs::path> kept;
  if (end_ > 0) kept.insert(path_);
  for (std::size_t i = 0; i < known_.size(); ++i) {
    if (known_[i]) kept.insert(folder_ / plan_.shards[i].name);
  }
  std::vector<fs::path> others;
  for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
    if (!entry.is_directory() || entry.is_symlink()) others.push_back(entry.path());
  }
  for (const fs::path& path : others) {
    if (!kept.contains(path)) remove_tree(path);
  }
}

std::optional<WrittenShard> ResumeNotes::finished(std::size_t shard, bool sha256,
                                                  const Interrupt& interrupt) const {
  if (!known_[shard]) return std::nullopt;
  const fs::path path = folder_ / plan_.shards[shard].name;
  std::error_code ignored;
  if (!fs::is_regular_file(fs::symlink_status(path, ignored))) return std::nullopt;
  {
    const MappedFile file = MappedFile::open(path, FileAccess::automatic);
    Hasher hasher;
    std::optional<ShaHasher> sha;
    if (sha256) sha.emplace();
    read_through(file, 0, file.size(), interrupt, [&](std::span<const std::byte> piece) {
      hasher.update(piece);
      if (sha) sha->update(piece);
    });
    if (file.size() == plan_.shards[shard].size && hasher.value() == known_[shard]->digest) {
      WrittenShard written = *known_[shard];
      if (sha) written.sha256 = sha->value();
      return written;
    }
  }
  remove_tree(path);
  return std::nullopt;
}

void ResumeNotes::note(std::size_t shard, const WrittenShard& written) {
  if (!written.digest) return;
  const std::lock_guard guard(lock_);
  append(line_of(shard, written));
  known_[shard] = WrittenShard{written.size, written.digest, {}, {}};  // nobody asks for more in this run
}

void ResumeNotes::append(const std::string& text) {
  write_exactly(file_.get(), path_, end_, text);
  sync_file(file_.get(), path_);
  end_ += text.size();
}

void ResumeNotes::remove() {
  file_.reset();
  remove_tree(path_);
}

}  // namespace keyshift
