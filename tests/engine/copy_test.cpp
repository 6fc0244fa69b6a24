#include "engine/copy.h"

#include <doctest/doctest.h>

#include "plan/prepare_plan.h"
#include "support/counting_progress.h"
#include "support/error_text.h"
#include "support/sample_checkpoint.h"

using namespace keyshift;
using namespace keyshift::test;
namespace fs = std::filesystem;

namespace {

using Copy = CopyOptions::Copy;
using Digests = CopyOptions::Digests;

std::string noise(std::size_t size, unsigned seed) {
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>((seed = seed * 1664525U + 1013904223U) >> 24U);
  return text;
}

// Tensors of several sizes, the long ones of many blocks, that lie at odd places.
struct Case {
  TemporaryFolder folder;
  PreparedPlan prepared;
  explicit Case(Layout layout = Layout::keep) {
    PlanRequest request;
    request.source = folder.write(
        "model.safetensors",
        shard_of({{"z", noise(9, 1)}, {"none", ""}, {"long", noise(300'000, 2)}, {"a", noise(5000, 3)}}));
    request.options.layout = layout;
    prepared = prepare_plan(request);
  }
  CopyWays all(CopyWay way, Digests digests) const {
    CopyWays ways;
    ways.digests = digests;
    for (const PlannedShard& shard : prepared.plan.shards)
      ways.shards.emplace_back(shard.extents.size(), way);
    return ways;
  }
  // What the stream writes, which the rest must equal.
  std::string expected() const {
    OutputStream out = OutputStream::to_file(folder / "expected", {.write_call = {}});
    CountingProgress progress;
    copy_shard(*prepared.checkpoint, prepared.plan.shards[0], out, progress, Interrupt());
    out.finish();
    std::string text = read_file(folder / "expected");
    fs::remove(folder / "expected");
    return text;
  }
};

}  // namespace

TEST_CASE("every way writes the same bytes, in both layouts, whatever the file system can do") {
  for (const Layout layout : {Layout::keep, Layout::canonical}) {
    const Case it(layout);
    const std::string expected = it.expected();
    for (const CopyWay way : {CopyWay::reflink, CopyWay::range, CopyWay::stream}) {
      for (const Digests digests : {Digests::automatic, Digests::always, Digests::never}) {
        const CopyWays ways = it.all(way, digests);
        const fs::path file = it.folder / "out";
        OutputStream out =
            OutputStream::to_file(file, {.write_call = {}, .digest = ways.is_digested(std::size_t{0})});
        CountingProgress progress;
        const auto tensors = copy_shard(it.prepared.plan, 0, ways, out, progress, Interrupt());
        const Written written = out.finish();
        INFO(name(way));
        CHECK((read_file(file) == expected));
        CHECK(written.size == expected.size());
        CHECK(progress.seen() == it.prepared.plan.data_bytes());
        CHECK(ways.is_digested(std::size_t{0}) ==
              (digests == Digests::always || (digests == Digests::automatic && way == CopyWay::stream)));
        if (ways.is_digested(std::size_t{0})) {
          CHECK(written.digest == digest_of(expected));
        }
        REQUIRE(tensors.size() == 4);
        for (std::size_t i = 0; i < tensors.size(); ++i) {
          const PlannedTensor& tensor = it.prepared.plan.shards[0].tensors[i];
          const bool known = ways.is_digested(way) || tensor.size == 0;
          REQUIRE(tensors[i].has_value() == known);
          if (!known) continue;
          const std::string source = read_file(it.folder / "model.safetensors");
          CHECK(*tensors[i] == digest_of(std::string_view(source).substr(tensor.source_offset, tensor.size)));
        }
        fs::remove(file);
      }
    }
  }
}

TEST_CASE("--copy auto finds a way everywhere, and streams what is too short to be worth sharing") {
  const Case it(Layout::canonical);
  const CopyWays ways = choose_ways(it.prepared.plan, it.folder.path(), {});
  for (std::size_t i = 0; i < ways.shards[0].size(); ++i) {
    if (it.prepared.plan.shards[0].extents[i].length < 65536) {
      CHECK(ways.shards[0][i] == CopyWay::stream);
    }
  }
  CHECK(ways.bytes(it.prepared.plan, CopyWay::reflink) + ways.bytes(it.prepared.plan, CopyWay::stream) ==
        it.prepared.plan.data_bytes());
}

TEST_CASE("a way that was asked for and cannot be gone is refused with the place") {
  const Case it(Layout::canonical);
  const std::string refusal =
      error_text([&] { choose_ways(it.prepared.plan, it.folder.path(), {.copy = Copy::reflink}); });
  CHECK(refusal ==
        it.folder.path().string() + "/model.safetensors: byte " +
            std::to_string(it.prepared.plan.shards[0].extents[1].source_offset) +
            ": --copy reflink cannot be done: 300000 bytes move by less than whole blocks of 4096; --copy "
            "auto takes what is possible");
  const Case kept;
  const std::string nowhere =
      error_text([&] { choose_ways(kept.prepared.plan, "/proc", {.copy = Copy::range}); });
  CHECK(nowhere ==
        kept.folder.path().string() + "/model.safetensors: byte " +
            std::to_string(kept.prepared.plan.shards[0].extents[0].source_offset) +
            ": --copy range cannot be done: the kernel does not copy from there to the destination; --copy "
            "auto takes what is possible");
  CHECK(error_text([&] {
          choose_ways(kept.prepared.plan, "/proc", {.copy = Copy::reflink});
        }).find("no blocks can be shared from there to the destination's file system") != std::string::npos);
}

TEST_CASE("without digests auto copies in the kernel where that is possible") {
  const Case it;
  const CopyWays ways = choose_ways(it.prepared.plan, "/proc", {.digests = Digests::never});
  CHECK(ways.shards[0] == std::vector<CopyWay>{CopyWay::stream});
}
