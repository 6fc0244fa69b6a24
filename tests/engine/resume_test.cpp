#include <doctest/doctest.h>

#include "base/file_system.h"
#include "base/sha.h"
#include "engine/rewrite.h"
#include "support/counting_progress.h"
#include "support/error_text.h"
#include "support/sample_checkpoint.h"
#include "transforms/transform_file.h"

using namespace keyshift;
using namespace keyshift::test;
namespace fs = std::filesystem;

namespace {

// A run that ends after some bytes, its temporary folder kept aside as a kill would leave it.
class DyingProgress : public CountingProgress {
 public:
  DyingProgress(fs::path from, fs::path to, std::uint64_t after) : from_(from), to_(to), after_(after) {}
  void advance(std::uint64_t bytes) override {
    CountingProgress::advance(bytes);
    if (seen() < after_ || fs::exists(to_)) return;
    fs::copy(from_, to_, fs::copy_options::recursive);
    throw std::runtime_error("killed");
  }

 private:
  fs::path from_, to_;
  std::uint64_t after_;
};

class InterruptingProgress : public CountingProgress {
 public:
  InterruptingProgress(Interrupt& interrupt, std::uint64_t after) : interrupt_(interrupt), after_(after) {}
  void advance(std::uint64_t bytes) override {
    CountingProgress::advance(bytes);
    if (seen() >= after_) interrupt_.request();
  }

 private:
  Interrupt& interrupt_;
  std::uint64_t after_;
};

struct Killed {
  TemporaryFolder folder;
  fs::path source = write_sample(folder);
  fs::path temporary = folder / ".out.keyshift-tmp";
  RewriteRequest request;

  // The first shard has 20 bytes: it is noted, and the second is half done.
  Killed() {
    request.plan.source = source;
    request.plan.transforms.transforms.push_back(parse_rename_option("^model=>m"));
    request.destination = folder / "out";
    request.copy.copy = CopyOptions::Copy::stream;
    DyingProgress progress(temporary, folder / "kept", 29);
    CHECK_THROWS(rewrite(request, progress, Interrupt()));
    fs::rename(folder / "kept", temporary);
    request.resume = true;
  }
  RewriteResult run() {
    CountingProgress progress;
    RewriteResult result = rewrite(request, progress, Interrupt());
    CHECK(progress.seen() >= progress.total());
    return result;
  }
  void check_output() {
    RewriteRequest whole = request;
    whole.resume = false;
    whole.destination = folder / "whole";
    CountingProgress progress;
    rewrite(whole, progress, Interrupt());
    for (const auto& entry : fs::directory_iterator(folder / "whole")) {
      INFO(entry.path().string());
      CHECK((read_file(entry.path()) == read_file(request.destination / entry.path().filename())));
    }
    CHECK_FALSE(fs::exists(temporary));
    CHECK_FALSE(fs::exists(request.destination / ".keyshift-notes"));
  }
};

}  // namespace

TEST_CASE("a shard that a killed run had finished is kept, and the output is the same") {
  Killed it;
  CHECK(fs::exists(it.temporary / kFirstShard));
  CHECK(it.run().resumed == 1);
  it.check_output();
}

TEST_CASE("a finished shard that was damaged meanwhile is copied again") {
  Killed it;
  std::string bytes = read_file(it.temporary / kFirstShard);
  bytes.back() ^= 1;
  it.folder.write(".out.keyshift-tmp/" + kFirstShard, bytes);
  CHECK(it.run().resumed == 0);
  it.check_output();
}

TEST_CASE("another source or another conversion begins anew") {
  {
    Killed it;
    it.request.plan.transforms.transforms[0] = parse_rename_option("^model=>n");
    CHECK(it.run().resumed == 0);
    it.check_output();
  }
  {
    Killed it;
    it.folder.write("source/" + kSecondShard,
                    shard_of({{"model.norm.weight", "NORM"}, {"lm_head.weight", "head!"}}));
    CHECK(it.run().resumed == 0);
    it.check_output();
  }
}

TEST_CASE("notes that were cut in the middle of a line count as far as they go") {
  Killed it;
  const std::string notes = read_file(it.temporary / ".keyshift-notes");
  CHECK(notes.ends_with(" .\n"));
  it.folder.write(".out.keyshift-tmp/.keyshift-notes", notes.substr(0, notes.size() - 1));
  CHECK(it.run().resumed == 0);
  it.check_output();
}

TEST_CASE("forged notes do no harm") {
  for (const char* line : {"shard 99999999999 1 x .\n", "shard 1 -1 - .\n", "shard\n", "\n",
                           "shard 1 5 00000000000000000000000000000000 - - - .\n"}) {
    Killed it;
    const std::string notes = read_file(it.temporary / ".keyshift-notes");
    it.folder.write(".out.keyshift-tmp/.keyshift-notes", notes.substr(0, notes.find('\n') + 1) + line);
    CHECK(it.run().resumed == 0);
    it.check_output();
  }
}

TEST_CASE("without --resume what is left over is cleaned up, with it a run that lives is left alone") {
  Killed it;
  it.folder.write(".out.keyshift-tmp/other", "x");
  {
    const Descriptor held = try_lock(it.temporary);
    CHECK(error_text([&] { it.run(); }) ==
          it.temporary.string() +
              ": another run of keyshift is writing there; wait for it, or choose another destination");
  }
  it.request.resume = false;
  CHECK(it.run().resumed == 0);
  it.check_output();
}

TEST_CASE(
    "a shard that a killed run had finished is kept with --sha256, too, and digested while it is checked") {
  Killed it;
  it.request.copy.sha256 = true;
  it.request.copy.digests = CopyOptions::Digests::always;
  const RewriteResult result = it.run();
  CHECK(result.resumed == 1);
  for (const auto& shard : result.shards)
    CHECK((shard.written.sha256 == sha256_of(read_file(it.request.destination / shard.name))));
  it.check_output();
}

TEST_CASE("an interruption with --resume leaves what is finished to the next one, and says so") {
  const TemporaryFolder folder;
  RewriteRequest request;
  request.plan.source = write_sample(folder);
  request.destination = folder / "out";
  request.copy.copy = CopyOptions::Copy::stream;
  request.resume = true;
  Interrupt interrupt;
  InterruptingProgress progress(interrupt, 1);
  const std::string temporary = (folder / ".out.keyshift-tmp").string();
  CHECK(error_text([&] { rewrite(request, progress, interrupt); }) ==
        "interrupted; nothing was published; 1 of its shards stays in \"" + temporary +
            "\" for another --resume");
  CHECK(fs::exists(folder / ".out.keyshift-tmp" / kFirstShard));
  CHECK_FALSE(fs::exists(folder / ".out.keyshift-tmp" / kSecondShard));
  CountingProgress again;
  CHECK(rewrite(request, again, Interrupt()).resumed == 1);
  CHECK(fs::exists(folder / "out" / kSecondShard));
  CHECK_FALSE(fs::exists(temporary));
}

TEST_CASE("with --resume and nothing to go on from, a conversion is a conversion") {
  const TemporaryFolder folder;
  RewriteRequest request;
  request.plan.source = write_sample(folder);
  request.destination = folder / "out";
  request.resume = true;
  CountingProgress progress;
  CHECK(rewrite(request, progress, Interrupt()).resumed == 0);
}
