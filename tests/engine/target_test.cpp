#include "engine/target.h"

#include <doctest/doctest.h>

#include <fstream>

#include "base/file_system.h"
#include "support/error_text.h"
#include "support/temporary_folder.h"

using namespace keyshift;
using namespace keyshift::test;
namespace fs = std::filesystem;

namespace {

CheckpointPlace nowhere() {
  CheckpointPlace place;
  place.folder = "/proc/self";
  return place;
}

void put(const Target& target, const std::string& name, const std::string& text) {
  std::ofstream(target.path_for(name)) << text;
}

}  // namespace

TEST_CASE("nothing is visible before it is published, all of it afterwards") {
  const TemporaryFolder folder;
  Target target = Target::prepare(folder / "out", nowhere(), false);
  put(target, "sub/a", "1");
  put(target, "b", "2");
  CHECK_FALSE(fs::exists(folder / "out"));
  target.publish({"sub/a", "b"});
  CHECK(read_file(folder / "out/sub/a") == "1");
  CHECK(read_file(folder / "out/b") == "2");
  CHECK_FALSE(fs::exists(folder / ".out.keyshift-tmp"));
}

TEST_CASE("what was not published is removed") {
  const TemporaryFolder folder;
  {
    Target target = Target::prepare(folder / "out", nowhere(), false);
    put(target, "a", "1");
    CHECK(fs::exists(folder / ".out.keyshift-tmp/a"));
  }
  CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("a folder that appeared meanwhile is not written over") {
  const TemporaryFolder folder;
  {
    Target target = Target::prepare(folder / "out", nowhere(), false);
    put(target, "a", "1");
    folder.write("out/theirs", "x");
    CHECK(error_text([&] { target.publish({"a"}); }) == (folder / "out").string() + ": cannot rename \"" +
                                                            (folder / ".out.keyshift-tmp").string() +
                                                            "\" to it: File exists");
  }
  CHECK(read_file(folder / "out/theirs") == "x");
  CHECK_FALSE(fs::exists(folder / ".out.keyshift-tmp"));
}

TEST_CASE("more bytes than the disk has are refused before the first is written") {
  const TemporaryFolder folder;
  const Target target = Target::prepare(folder / "out", nowhere(), false);
  target.require_space(0);
  const std::string text = error_text([&] { target.require_space(std::uint64_t{1} << 62U); });
  CHECK(text.starts_with((folder / "out").string() +
                         ": needs 4611686018427387904 bytes, but its file system has "));
  CHECK(text.ends_with(" free; make room or choose another place"));
}

namespace {

// What a run leaves that is killed between the two steps in which it replaces a checkpoint.
void kill_between_steps(const TemporaryFolder& folder) {
  folder.write(".out.keyshift-old/a", "old");
  folder.write(".out.keyshift-tmp/a", "new");
}

}  // namespace

TEST_CASE("a checkpoint that a killed run had put aside comes back") {
  const TemporaryFolder folder;
  kill_between_steps(folder);
  CHECK(error_text([&] { Target::prepare(folder / "out", nowhere(), false); }) ==
        (folder / "out").string() +
            ": exists and is not empty; choose another name, or --force to replace it");
  CHECK(read_file(folder / "out/a") == "old");
  CHECK_FALSE(fs::exists(folder / ".out.keyshift-old"));
}

TEST_CASE("a checkpoint that was replaced when its run was killed goes") {
  const TemporaryFolder folder;
  folder.write(".out.keyshift-old/a", "old");
  folder.write("out/a", "new");
  CHECK_THROWS_AS(Target::prepare(folder / "out", nowhere(), false), Error);
  CHECK(read_file(folder / "out/a") == "new");
  CHECK_FALSE(fs::exists(folder / ".out.keyshift-old"));
}

TEST_CASE("a checkpoint that was put aside stays while its run is at work, or something else has its place") {
  const TemporaryFolder folder;
  kill_between_steps(folder);
  {
    Descriptor other = try_lock(folder / ".out.keyshift-tmp");
    REQUIRE(other.get() >= 0);
    CHECK(error_text([&] { Target::prepare(folder / "out", nowhere(), false); }) ==
          (folder / ".out.keyshift-tmp").string() +
              ": another run of keyshift is writing there; wait for it, or choose another destination");
  }
  folder.write("out/b", "mine");
  const std::string old = (folder / ".out.keyshift-old").string();
  CHECK(error_text([&] { Target::prepare(folder / "out", nowhere(), true); }) ==
        (folder / "out").string() + ": a run that was killed had put the old checkpoint aside as \"" + old +
            "\"; move one of the two away");
  CHECK(read_file(folder / "out/b") == "mine");
  CHECK(read_file(folder / ".out.keyshift-old/a") == "old");
}
