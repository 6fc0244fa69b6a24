#include <fmt/format.h>

#include <map>

#include "compare/check.h"
#include "compare/checkpoint_digests.h"

namespace keyshift {

namespace {

// Tensors that look alike count: a checkpoint may hold the same bytes twice.
struct Seen {
  std::uint64_t told = 0, there = 0;
  std::string told_key, there_key, there_file;  // of the first that was told of, of the last that is there
};

CheckFinding finding_of(const std::string& what, const Seen& seen) {
  const std::string counts = seen.told + seen.there == 1
                                 ? std::string()
                                 : fmt::format(": {} in the manifest, {} there", seen.told, seen.there);
  if (seen.there < seen.told)
    return {"missing", "", fmt::format("{} ({}) is not there{}", what, quote(seen.told_key), counts)};
  return {"extra", seen.there_file,
          fmt::format("{} ({}) is not in the manifest{}", what, quote(seen.there_key), counts)};
}

}  // namespace

CheckResult check_tensors(const Manifest& manifest, const CheckRequest& request,
                          const std::function<void(std::uint64_t)>& begin,
                          const std::function<void(std::uint64_t)>& advance, const Interrupt& interrupt) {
  if (!manifest.has_tensors) {
    throw Error(ErrorKind::manifest_invalid,
                "lists no tensors, only files; `keyshift digest --json` writes one that does")
        .in(request.manifest.string());
  }
  OpenOptions open;
  open.jobs = request.jobs;
  const Checkpoint checkpoint = Checkpoint::open(request.folder, open);
  std::vector<CheckpointFile> files = files_of(checkpoint.place());
  std::erase_if(files, [](const CheckpointFile& file) { return file.kind != CheckpointFile::Kind::shard; });
  CheckResult result;
  for (const CheckpointFile& file : files) result.bytes += file.size;
  begin(result.bytes);
  const auto digests = digest_files(checkpoint, files, {.tensors = true}, request.jobs, advance, interrupt);

  std::map<std::string, Seen> seen;
  for (const ManifestTensor& tensor : manifest.tensors) {
    Seen& one = seen[content_line(tensor.dtype, tensor.shape, tensor.digest)];
    if (one.told++ == 0) one.told_key = tensor.key;
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto tensors = checkpoint.shards()[files[i].shard].header().tensors();
    for (std::size_t t = 0; t < tensors.size(); ++t) {
      Seen& one = seen[content_line(name(tensors[t].dtype), tensors[t].shape, digests[i].shard->tensors[t])];
      one.there += 1;
      one.there_key = tensors[t].key;
      one.there_file = files[i].name;
    }
  }
  result.files = files.size();
  for (const auto& [line, one] : seen) {
    if (one.told != one.there) result.findings.push_back(finding_of(line.substr(0, line.size() - 1), one));
  }
  return result;
}

}  // namespace keyshift
