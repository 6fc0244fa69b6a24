#include "tools/source_options.h"

#include "base/parallel.h"

namespace keyshift::tools {

void SourceOptions::declare(Options& options) {
  options.heading("Which checkpoint");
  options.value("--variant", "NAME", "the variant of the weights: fp16 takes model.fp16.safetensors",
                variant_);
  options.value("--revision", "REV",
                "in a hub cache folder (models--ORG--NAME): a commit, branch or tag; default: main",
                revision_);
  options.number("--jobs", "N", "threads, and shards at a time; default: one for each processor", 1, jobs_);
  options.choice(
      "--io", {"auto", "mmap", "read"},
      "how shards are read: mmap; read: by pread; auto: mmap, but read on FUSE, NFS, Lustre, CIFS, 9p and "
      "their like (default)",
      io_);
}

OpenOptions SourceOptions::open_options() const {
  OpenOptions open;
  open.variant = variant_;
  open.revision = revision_;
  open.jobs = jobs();
  if (io_ == "mmap") open.access = FileAccess::mapped;
  if (io_ == "read") open.access = FileAccess::read;
  return open;
}

unsigned SourceOptions::jobs() const { return jobs_ != 0 ? jobs_ : available_processors(); }

void warn_of(const std::vector<std::string>& warnings, Console& console) {
  for (const std::string& warning : warnings) console.warn(warning);
}

}  // namespace keyshift::tools
