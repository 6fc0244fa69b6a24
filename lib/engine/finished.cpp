#include "engine/finished.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "base/file_system.h"
#include "base/parallel.h"
#include "engine/copy.h"
#include "engine/make_receipt.h"
#include "engine/target.h"

namespace keyshift {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kWindow = 1U << 20U;  // bytes

struct NotFinished {
  std::string why;
};

Digest digest_of_file(const MappedFile& file, const Interrupt& interrupt) {
  std::vector<std::byte> buffer(static_cast<std::size_t>(std::min<std::uint64_t>(kWindow, file.size())));
  Hasher hasher;
  for (std::uint64_t at = 0; at < file.size();) {
    interrupt.check();
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(kWindow, file.size() - at));
    const auto window = std::span(buffer).first(count);
    read_exactly(file.descriptor(), file.path(), at, window);
    hasher.update(window);
    at += count;
  }
  return hasher.value();
}

// All of a receipt but the digests, which are compared with files and not with each other.
std::vector<std::string> without_digests(Receipt receipt) {
  for (auto& shard : receipt.shards) {
    shard.digest.reset();
    shard.sha256.reset();
  }
  for (auto& tensor : receipt.tensors) tensor.digest.reset();
  receipt.others.clear();
  return write_receipt(receipt);
}

std::vector<std::string> how_it_was_asked_for(const Receipt& receipt) {
  Receipt part;
  part.direction = receipt.direction;
  part.reversed = receipt.reversed;
  part.strip_wrappers = receipt.strip_wrappers;
  part.transforms = receipt.transforms;
  part.target = receipt.target;
  return write_receipt(part);
}

class Finished {
 public:
  Finished(const RewriteRequest& request, Progress& progress, const Interrupt& interrupt)
      : request_(request), progress_(progress), interrupt_(interrupt), prepared_(plan_rewrite(request)) {
    const bool single = Target::names_single_file(request.destination);
    folder_ = single ? request.destination.parent_path() : request.destination;
    receipt_file_ = folder_ / (single ? receipt_name_beside(prepared_.plan.shards.front().name)
                                      : std::string(kReceiptName));
  }

  // Throws NotFinished.
  void check() {
    read();
    compare_with_plan();
    compare_others();
    std::uint64_t bytes = 0;
    for (const PlannedShard& shard : prepared_.plan.shards) bytes += shard.size;
    progress_.begin("checking", bytes);
    for_each_parallel(prepared_.plan.shards.size(), request_.jobs, [&](std::size_t i) { compare_shard(i); });
    progress_.end();
  }

 private:
  void read() {
    std::error_code failure;
    if (!fs::exists(receipt_file_, failure)) throw NotFinished{"has no receipt"};
    receipt_ = read_receipt(receipt_file_);
    written_ = MappedFile::open(receipt_file_).identity().modified;
  }

  void compare_with_plan() const {
    std::vector<WrittenShard> shards;
    for (const PlannedShard& shard : prepared_.plan.shards)
      shards.push_back({shard.size, std::nullopt, std::nullopt, {}});
    const Receipt expected = make_receipt(request_.plan, prepared_, shards, {});
    if (without_digests(expected) != without_digests(receipt_))
      throw NotFinished{"was made from another source or with other options, as its receipt says"};
  }

  void compare_others() const {
    std::set<std::string> expected(prepared_.plan.side_files.begin(), prepared_.plan.side_files.end());
    if (prepared_.plan.index_name) expected.insert(*prepared_.plan.index_name);
    std::set<std::string> told;
    for (const Receipt::OutputFile& file : receipt_.others) {
      told.insert(file.name);
      if (file.name == prepared_.plan.index_name && file.digest != digest_of(*prepared_.plan.index_text))
        throw NotFinished{"has another index than the source asks for"};
      for (const RewrittenFile& rewritten : prepared_.plan.rewritten) {
        if (file.name == rewritten.name && file.digest != digest_of(rewritten.after.text))
          throw NotFinished{fmt::format("has another {} than the renaming asks for", quote(file.name))};
      }
      compare_file(file.name, file.size, file.digest);
    }
    if (told != expected) throw NotFinished{"has other side files than the source"};
  }

  void compare_shard(std::size_t i) const {
    const PlannedShard& planned = prepared_.plan.shards[i];
    std::optional<Digest> digest = receipt_.shards[i].digest;
    if (!digest || source_is_newer(planned)) {
      OutputStream out = OutputStream::to_digest();
      SilentProgress silent;
      copy_shard(*prepared_.checkpoint, planned, out, silent, interrupt_);
      const Digest would_be = out.finish().digest;
      if (digest && *digest != would_be)
        throw NotFinished{
            fmt::format("holds other bytes in {} than the source now has", quote(planned.name))};
      digest = would_be;
    }
    compare_file(planned.name, planned.size, *digest);
    progress_.advance(planned.size);
  }

  bool source_is_newer(const PlannedShard& planned) const {
    return std::any_of(planned.extents.begin(), planned.extents.end(), [&](const Extent& extent) {
      const FileIdentity& source = prepared_.checkpoint->shards()[extent.source_shard].file().identity();
      return std::max(source.modified, source.changed) >= written_;
    });
  }

  void compare_file(const std::string& name, std::uint64_t size, const Digest& digest) const {
    std::error_code failure;
    if (!fs::is_regular_file(folder_ / name, failure))
      throw NotFinished{fmt::format("lacks {}", quote(name))};
    const MappedFile file = MappedFile::open(folder_ / name);
    if (file.size() != size || digest_of_file(file, interrupt_) != digest)
      throw NotFinished{fmt::format("{} is not what its receipt says", quote(name))};
  }

  struct SilentProgress : Progress {
    void begin(std::string_view, std::uint64_t) override {}
    void advance(std::uint64_t) override {}
    void end() override {}
  };

  const RewriteRequest& request_;
  Progress& progress_;
  const Interrupt& interrupt_;
  PreparedPlan prepared_;
  fs::path folder_, receipt_file_;
  Receipt receipt_;
  std::int64_t written_ = 0;  // nanoseconds since the epoch
};

}  // namespace

bool is_finished_in_place(const PlanRequest& request, const Interrupt& interrupt) {
  const Checkpoint checkpoint = Checkpoint::open(request.source, request.open);
  const CheckpointPlace& place = checkpoint.place();
  const auto path = find_receipt(
      place.folder, place.is_single_file ? std::optional(place.shard_names.front()) : std::nullopt);
  if (!path) return false;
  const Receipt receipt = read_receipt(*path);
  Receipt asked;
  describe_request(request, asked);
  if (!receipt.in_place || how_it_was_asked_for(receipt) != how_it_was_asked_for(asked)) return false;

  const auto require = [&](const std::string& name, bool good) {
    if (good) return;
    throw Error(ErrorKind::source_changed,
                "is not what the receipt of a conversion in place says; revert or mend it first")
        .in((place.folder / name).string());
  };
  for (const Receipt::OutputShard& told : receipt.shards) {
    const auto shard = std::find_if(checkpoint.shards().begin(), checkpoint.shards().end(),
                                    [&](const Shard& s) { return s.name() == told.name; });
    require(told.name, shard != checkpoint.shards().end() && shard->file().size() == told.size &&
                           digest_of(shard->header_bytes()) == told.header_digest &&
                           (!told.digest || digest_of_file(shard->file(), interrupt) == *told.digest));
  }
  for (const Receipt::OutputFile& told : receipt.others) {
    std::error_code failure;
    require(told.name,
            fs::is_regular_file(place.folder / told.name, failure) &&
                digest_of_file(MappedFile::open(place.folder / told.name), interrupt) == told.digest);
  }
  return true;
}

std::optional<std::string> why_not_finished(const RewriteRequest& request, Progress& progress,
                                            const Interrupt& interrupt) {
  Finished finished(request, progress, interrupt);
  try {
    finished.check();
    return std::nullopt;
  } catch (const NotFinished& verdict) {
    return verdict.why;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::receipt_invalid) return "has a receipt that cannot be trusted";
    throw;
  }
}

}  // namespace keyshift
