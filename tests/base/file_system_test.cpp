#include "base/file_system.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "support/error_text.h"
#include "support/temporary_folder.h"

using namespace keyshift;
using keyshift::test::error_text;
using keyshift::test::read_file;
using keyshift::test::TemporaryFolder;

TEST_CASE("a path lies in a folder by whole parts") {
  CHECK(is_inside("/a/b", "/a/b"));
  CHECK(is_inside("/a/b/c", "/a/b"));
  CHECK_FALSE(is_inside("/a/bc", "/a/b"));
  CHECK_FALSE(is_inside("/a", "/a/b"));
}

TEST_CASE("a small file is read whole, and refused when it is larger than it should be") {
  const TemporaryFolder folder;
  const auto file = folder.write("a", "hello");
  CHECK(read_small_file(file, 5) == "hello");
  CHECK(error_text([&] { read_small_file(file, 4); }) ==
        file.string() + ": is larger than 4 bytes, which no such file should be");
}

TEST_CASE("a FIFO is refused and does not hang") {
  const TemporaryFolder folder;
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(error_text([&] { read_small_file(folder / "pipe", 10); }) ==
        (folder / "pipe").string() + ": is not a regular file");
}

TEST_CASE("a rename never replaces a file, but an empty folder gives way to a folder") {
  const TemporaryFolder folder;
  folder.write("a", "1");
  folder.write("b", "2");
  CHECK(error_text([&] { rename_no_replace(folder / "a", folder / "b"); }) ==
        (folder / "b").string() + ": cannot rename \"" + (folder / "a").string() + "\" to it: File exists");
  CHECK(read_file(folder / "b") == "2");
  folder.write("new/file", "3");
  std::filesystem::create_directory(folder / "empty");
  rename_no_replace(folder / "new", folder / "empty");
  CHECK(read_file(folder / "empty" / "file") == "3");
  folder.write("newer/file", "4");
  CHECK(error_text([&] { rename_no_replace(folder / "newer", folder / "empty"); }) != "no error");
  CHECK(read_file(folder / "empty" / "file") == "3");
}

TEST_CASE("two names are exchanged in one step") {
  const TemporaryFolder folder;
  folder.write("a/x", "1");
  folder.write("b/y", "2");
  CHECK(exchange_names(folder / "a", folder / "b"));
  CHECK(read_file(folder / "a" / "y") == "2");
  CHECK(read_file(folder / "b" / "x") == "1");
}

TEST_CASE("a lock is held until its descriptor goes") {
  const TemporaryFolder folder;
  {
    const Descriptor first = try_lock(folder.path());
    CHECK(static_cast<bool>(first));
    CHECK(!try_lock(folder.path()));
  }
  CHECK(static_cast<bool>(try_lock(folder.path())));
}

TEST_CASE("a place is canonical without existing") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "real");
  std::filesystem::create_symlink("real", folder / "link");
  const auto root = std::filesystem::canonical(folder.path());
  CHECK(canonical_place(folder / "link/../link/new/") == root / "real" / "new");
  CHECK(canonical_place(folder / "real/.") == root / "real");
}

TEST_CASE("the root is a mount point, a new folder is none") {
  const TemporaryFolder folder;
  CHECK(is_mount_point("/"));
  CHECK_FALSE(is_mount_point(folder.path()));
}
