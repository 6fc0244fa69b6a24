#include "tools/layout_options.h"

#include "base/error.h"
#include "plan/shard_size.h"

namespace keyshift::tools {

void SubsetOptions::declare(Options& options) {
  options.each(
      "--keep", "PATTERN",
      "only tensors in whose old name the pattern matches (as Python's re.search); may be repeated, and "
      "one that matches is enough",
      [this](const std::string& pattern) { patterns_.keep.push_back(pattern); });
  options.each("--drop", "PATTERN", "no tensors in whose old name the pattern matches; may be repeated",
               [this](const std::string& pattern) { patterns_.drop.push_back(pattern); });
}

void LayoutOptions::declare(Options& options) {
  options.choice(
      "--layout", {"keep", "canonical"},
      "keep: tensors stay in the order in which they lie, and blocks can be shared (default); canonical: "
      "the bytes that the safetensors library writes",
      layout_);
  options.each(
      "--max-shard-size", "SIZE",
      "new shards of at most this size (5GB; KB, MB, GB, TB), as huggingface_hub cuts them; default: shards "
      "stay what they are",
      [this](const std::string& text) {
        if (max_shard_size_) throw Error(ErrorKind::usage, "--max-shard-size may be given only once");
        max_shard_size_ = parse_shard_size(text);
      });
}

PlanOptions LayoutOptions::plan_options() const {
  PlanOptions plan;
  if (layout_ == "canonical") plan.layout = Layout::canonical;
  plan.max_shard_size = max_shard_size_;
  return plan;
}

void CopyChoice::declare(Options& options) {
  options.choice(
      "--copy", {"auto", "reflink", "range", "stream"},
      "reflink: share blocks (XFS, btrfs); range: copy in the kernel; stream: read and write; auto: the "
      "cheapest that is possible (default); another one that is not possible is refused",
      copy_);
  options.choice("--digests", {"auto", "always", "never"},
                 "auto: of all bytes that are read anyway, so none of shared blocks (default)", digests_);
  options.flag("--sha256",
               "SHA-256 of each output file besides, of the same read: in the receipt and in --json",
               sha256_);
}

CopyOptions CopyChoice::copy_options() const {
  using Copy = CopyOptions::Copy;
  using Digests = CopyOptions::Digests;
  CopyOptions options;
  if (copy_ == "reflink") options.copy = Copy::reflink;
  if (copy_ == "range") options.copy = Copy::range;
  if (copy_ == "stream") options.copy = Copy::stream;
  if (digests_ == "always") options.digests = Digests::always;
  if (digests_ == "never") options.digests = Digests::never;
  if (sha256_ && digests_ == "never")
    throw Error(ErrorKind::usage, "--sha256 needs every byte to be read, and --digests never forbids that");
  options.sha256 = sha256_;
  if (sha256_) options.digests = Digests::always;
  return options;
}

}  // namespace keyshift::tools
