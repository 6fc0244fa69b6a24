#include "base/in_place_file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "support/error_text.h"
#include "support/temporary_folder.h"

using namespace keyshift;
using namespace keyshift::test;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kBlock = 4096;

Descriptor open_written(const fs::path& path, const std::string& text) {
  Descriptor file = create_file(path);
  write_exactly(file.get(), path, 0, text);
  return file;
}

}  // namespace

TEST_CASE("a name tells what it is itself, links not followed") {
  const TemporaryFolder folder;
  const auto file = folder.write("a", "12345");
  fs::create_symlink("a", folder / "link");
  fs::create_hard_link(file, folder / "second");
  CHECK(standing_of(file).is_file);
  CHECK(standing_of(file).size == 5);
  CHECK(standing_of(file).hard_links == 2);
  CHECK(standing_of(file).is_same_file(standing_of(folder / "second")));
  CHECK_FALSE(standing_of(file).is_same_file(standing_of(folder / "link")));
  CHECK(standing_of(folder / "link").is_link);
  CHECK_FALSE(standing_of(folder / "none").there);
  CHECK_FALSE(standing_of(file / "below").there);
}

TEST_CASE("a file that is open for writing is told from one that is only read") {
  const TemporaryFolder folder;
  const auto file = folder.write("a", "1");
  const Descriptor reader(::open(file.c_str(), O_RDONLY));
  CHECK_FALSE(is_open_for_writing(file));
  {
    const Descriptor writer(::open(file.c_str(), O_WRONLY));
    CHECK(is_open_for_writing(file));
  }
  CHECK_FALSE(is_open_for_writing(file));
}

TEST_CASE("nothing is opened for changes through a link, and nothing is created where something is") {
  const TemporaryFolder folder;
  const auto file = folder.write("a", "1");
  fs::create_symlink("a", folder / "link");
  CHECK(error_text([&] { open_for_changes(folder / "link"); }) ==
        (folder / "link").string() + ": cannot open for writing: Too many levels of symbolic links");
  CHECK(error_text([&] { create_file(file); }) == file.string() + ": cannot create: File exists");
}

TEST_CASE("a lock is held once") {
  const TemporaryFolder folder;
  const auto file = folder.write("a", "1");
  const Descriptor first = open_for_changes(file), second = open_for_changes(file);
  CHECK(lock_exclusively(first.get(), file));
  CHECK(lock_exclusively(first.get(), file));
  CHECK_FALSE(lock_exclusively(second.get(), file));
}

TEST_CASE("inserted blocks are zeros before the rest, and taking them out brings the old file back") {
  const TemporaryFolder folder;
  const std::string text = std::string(kBlock, 'a') + std::string(kBlock, 'b') + "end";
  const Descriptor file = open_written(folder / "a", text);
  if (!insert_range(file.get(), folder / "a", 0, 2 * kBlock)) {
    MESSAGE("this file system does not insert blocks");
    CHECK(read_file(folder / "a") == text);
    return;
  }
  CHECK((read_file(folder / "a") == std::string(2 * kBlock, '\0') + text));
  collapse_range(file.get(), folder / "a", 0, 2 * kBlock);
  CHECK((read_file(folder / "a") == text));
  CHECK(error_text([&] { collapse_range(file.get(), folder / "a", 0, 1); }) ==
        (folder / "a").string() + ": byte 0: cannot take out blocks: Invalid argument");
}

TEST_CASE("blocks are shared or nothing happens") {
  const TemporaryFolder folder;
  const std::string text = std::string(kBlock, 'a') + std::string(kBlock, 'b') + "end";
  const Descriptor from = open_written(folder / "a", text), to = create_file(folder / "b");
  if (share_rest(from.get(), kBlock, to.get(), 2 * kBlock, folder / "b")) {
    CHECK((read_file(folder / "b") == std::string(2 * kBlock, '\0') + text.substr(kBlock)));
  } else {
    MESSAGE("this file system does not share blocks");
    CHECK(read_file(folder / "b").empty());
  }
}

TEST_CASE("a copy ends where the source ends") {
  const TemporaryFolder folder;
  const Descriptor from = open_written(folder / "a", "0123456789"), to = create_file(folder / "b");
  CHECK(copy_some(from.get(), folder / "a", 4, to.get(), folder / "b", 1, 100) == 6);
  CHECK(copy_some(from.get(), folder / "a", 10, to.get(), folder / "b", 7, 100) == 0);
  CHECK((read_file(folder / "b") == std::string(1, '\0') + "456789"));
}

TEST_CASE("a name is replaced in one step, a second name keeps what was there, and removing is repeatable") {
  const TemporaryFolder folder;
  folder.write("new", "new");
  folder.write("file", "old");
  REQUIRE(add_name(folder / "file", folder / "kept"));
  replace_name(folder / "new", folder / "file");
  CHECK(read_file(folder / "file") == "new");
  CHECK(read_file(folder / "kept") == "old");
  remove_name(folder / "kept");
  remove_name(folder / "kept");
  CHECK(error_text([&] { replace_name(folder / "new", folder / "file"); }) ==
        (folder / "file").string() + ": cannot rename \"" + (folder / "new").string() +
            "\" to it: No such file or directory");
}

TEST_CASE("a new file takes over the mode of the one that it replaces") {
  const TemporaryFolder folder;
  folder.write("old", "1");
  ::chmod((folder / "old").c_str(), 0640);
  const Descriptor file = create_file(folder / "new");
  take_attributes(folder / "old", file.get());
  CHECK(fs::status(folder / "new").permissions() == fs::perms(0640));
}

TEST_CASE("a failing write and a failing flush name the file") {
  const TemporaryFolder folder;
  const auto path = folder.write("a", "1");
  const Descriptor file(::open(path.c_str(), O_RDONLY));
  CHECK(error_text([&] { write_exactly(file.get(), path, 7, "x"); }) ==
        path.string() + ": byte 7: cannot write: Bad file descriptor");
  CHECK(error_text([&] { sync_file(-1, path); }) ==
        path.string() + ": cannot flush it to the disk: Bad file descriptor");
}
