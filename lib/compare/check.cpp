#include "compare/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <tuple>

#include "base/file_system.h"
#include "base/mapped_file.h"
#include "base/parallel.h"
#include "compare/checkpoint_digests.h"
#include "compare/read_file.h"
#include "format/boundary.h"

namespace keyshift {

namespace fs = std::filesystem;

namespace {

// The digests of one row of a manifest, as its file has them.
class RowDigests {
 public:
  RowDigests(const ManifestFile& row, std::uint64_t size) {
    for (const FileDigest& digest : row.digests) {
      if (digest.kind == DigestKind::sha256) sha256_.emplace();
      if (digest.kind == DigestKind::sha1) sha1_.emplace(ShaHasher::Algorithm::sha1);
      if (digest.kind == DigestKind::git_sha1) {
        git_sha1_.emplace(ShaHasher::Algorithm::sha1);
        git_sha1_->update(fmt::format("blob {}", size));
        git_sha1_->update(std::string_view("\0", 1));
      }
      if (digest.kind == DigestKind::xxh3_128) xxh_.emplace();
    }
  }

  void update(std::span<const std::byte> bytes) {
    if (xxh_) xxh_->update(bytes);
    if (sha256_) sha256_->update(bytes);
    if (sha1_) sha1_->update(bytes);
    if (git_sha1_) git_sha1_->update(bytes);
  }

  std::map<DigestKind, std::string> finish() {
    std::map<DigestKind, std::string> digests;
    if (xxh_) digests[DigestKind::xxh3_128] = xxh_->value().hex();
    if (sha256_) digests[DigestKind::sha256] = sha256_->hex();
    if (sha1_) digests[DigestKind::sha1] = sha1_->hex();
    if (git_sha1_) digests[DigestKind::git_sha1] = git_sha1_->hex();
    return digests;
  }

 private:
  std::optional<Hasher> xxh_;
  std::optional<ShaHasher> sha256_, sha1_, git_sha1_;
};

class FileCheck {
 public:
  FileCheck(const Manifest& manifest, const CheckRequest& request,
            const std::function<void(std::uint64_t)>& advance, const Interrupt& interrupt)
      : manifest_(manifest),
        request_(request),
        advance_(advance),
        interrupt_(interrupt),
        boundary_(request.folder),
        findings_(manifest.files.size()) {}

  // Bytes that will be read; whoever is missing has none.
  std::uint64_t look() {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < manifest_.files.size(); ++i) sum += look_at(i);
    return sum;
  }

  CheckResult run() {
    for_each_parallel(manifest_.files.size(), request_.jobs, [&](std::size_t i) {
      if (!findings_[i]) check(i);
    });
    check_pieces();
    CheckResult result;
    std::set<std::string> names;
    for (const ManifestFile& row : manifest_.files) names.insert(row.name);
    result.files = names.size();
    result.bytes = bytes_;
    for (auto& finding : findings_) {
      if (finding) result.findings.push_back(std::move(*finding));
    }
    if (request_.report_extra && manifest_.is_folder) find_extra(names, result.findings);
    return result;
  }

 private:
  void report(std::size_t row, std::string kind, std::string message) {
    findings_[row] = CheckFinding{std::move(kind), manifest_.files[row].name, std::move(message)};
  }

  std::uint64_t look_at(std::size_t i) {
    const ManifestFile& row = manifest_.files[i];
    const Boundary::Finding found = boundary_.look_at(row.name);
    switch (found.verdict) {
      case Boundary::Verdict::missing:
        report(i, "missing", "is not there");
        return 0;
      case Boundary::Verdict::outside:
        report(i, "outside", found.what);
        return 0;
      case Boundary::Verdict::no_file:
        report(i, "differs", found.what);
        return 0;
      case Boundary::Verdict::file:
        break;
    }
    std::error_code ignored;
    const std::uint64_t size = fs::file_size(request_.folder / row.name, ignored);
    if (row.size && *row.size != size) {
      report(i, "differs", fmt::format("has {} bytes, where the manifest says {}", size, *row.size));
      return 0;
    }
    if (row.digests.empty()) return 0;
    return row.piece ? row.piece->second - row.piece->first : size;
  }

  void check(std::size_t i) {
    const ManifestFile& row = manifest_.files[i];
    if (row.digests.empty()) return;
    const MappedFile file = MappedFile::open(request_.folder / row.name);
    std::uint64_t begin = 0, end = file.size();
    if (row.piece) std::tie(begin, end) = *row.piece;
    if (end > file.size()) {
      report(i, "differs",
             fmt::format("has {} bytes, where the manifest says at least {}", file.size(), end));
      return;
    }
    RowDigests digests(row, end - begin);
    read_file(file, begin, end - begin, interrupt_, [&](std::span<const std::byte> bytes) {
      digests.update(bytes);
      advance_(bytes.size());
    });
    bytes_ += end - begin;
    const auto found = digests.finish();
    for (const FileDigest& told : row.digests) {
      if (found.at(told.kind) == told.hex) continue;
      const std::string where = row.piece ? fmt::format(" of bytes {} to {}", begin, end) : std::string();
      report(i, "differs",
             fmt::format("has {}{} {}, where the manifest says {}", name(told.kind), where,
                         found.at(told.kind), told.hex));
      return;
    }
  }

  // A file that is told of in pieces must be nothing but these pieces.
  void check_pieces() {
    std::map<std::string_view, std::vector<std::size_t>> files;
    for (std::size_t i = 0; i < manifest_.files.size(); ++i) {
      if (manifest_.files[i].piece) files[manifest_.files[i].name].push_back(i);
    }
    for (auto& [name, rows] : files) {
      std::sort(rows.begin(), rows.end(), [&](std::size_t a, std::size_t b) {
        return manifest_.files[a].piece->first < manifest_.files[b].piece->first;
      });
      std::uint64_t at = 0;
      for (const std::size_t i : rows) {
        const auto [begin, end] = *manifest_.files[i].piece;
        if (begin > at && !findings_[i])
          report(i, "differs", fmt::format("bytes {} to {} are not in the manifest", at, begin));
        at = std::max(at, end);
      }
      std::error_code failure;
      const std::uint64_t size = fs::file_size(request_.folder / fs::path(name), failure);
      if (!failure && size > at && !findings_[rows.back()])
        report(rows.back(), "differs", fmt::format("has {} bytes, where the manifest says {}", size, at));
    }
  }

  // What a checkpoint there consists of and the manifest does not list.
  void find_extra(const std::set<std::string>& names, std::vector<CheckFinding>& findings) const {
    std::vector<CheckpointFile> files;
    try {
      files = files_of(find_checkpoint(request_.folder));
    } catch (const Error& error) {
      if (category(error.kind()) != ErrorCategory::input) throw;
      return;  // no checkpoint: nobody knows what belongs here
    }
    const bool only_pieces = !manifest_.files.empty() && manifest_.files.front().piece.has_value();
    const NamedFile own = request_.manifest.empty() ? NamedFile{} : look_at_file(request_.manifest);
    for (const CheckpointFile& file : files) {
      if (names.contains(file.name) || is_ignored(file.name) || (only_pieces && file.size == 0)) continue;
      const NamedFile there = look_at_file(request_.folder / file.name);
      if (!request_.manifest.empty() && there.device == own.device && there.inode == own.inode) continue;
      findings.push_back({"extra", file.name, "is not in the manifest"});
    }
  }

  bool is_ignored(const std::string& name) const {
    return std::any_of(manifest_.ignored.begin(), manifest_.ignored.end(),
                       [&](const std::string& path) { return name == path || name.starts_with(path + '/'); });
  }

  static NamedFile look_at_file(const fs::path& path) { return keyshift::look_at(path); }

  const Manifest& manifest_;
  const CheckRequest& request_;
  const std::function<void(std::uint64_t)>& advance_;
  const Interrupt& interrupt_;
  Boundary boundary_;
  std::vector<std::optional<CheckFinding>> findings_;  // by row
  std::atomic<std::uint64_t> bytes_{0};
};

}  // namespace

CheckResult check_files(const Manifest& manifest, const CheckRequest& request,
                        const std::function<void(std::uint64_t)>& begin,
                        const std::function<void(std::uint64_t)>& advance, const Interrupt& interrupt) {
  FileCheck check(manifest, request, advance, interrupt);
  begin(check.look());
  return check.run();
}

}  // namespace keyshift
