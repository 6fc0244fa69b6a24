#include "base/output_stream.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "support/error_text.h"
#include "support/temporary_folder.h"

using namespace keyshift;
using keyshift::test::error_text;
using keyshift::test::read_file;
using keyshift::test::TemporaryFolder;

TEST_CASE("what is written is digested on its way and stands in the file") {
  const TemporaryFolder folder;
  OutputStream out = OutputStream::to_file(folder / "a", {});
  out.write(std::string_view("hello "));
  out.write(std::string_view("world"));
  const Written written = out.finish();
  CHECK(written.size == 11);
  CHECK(written.digest == digest_of(std::string_view("hello world")));
  CHECK(read_file(folder / "a") == "hello world");
}

TEST_CASE("a stream that goes nowhere gives the digest that a file would have") {
  OutputStream out = OutputStream::to_digest();
  out.write(std::string_view("hello world"));
  CHECK(out.finish().digest == digest_of(std::string_view("hello world")));
}

TEST_CASE("a short write is continued where it stopped") {
  const TemporaryFolder folder;
  OutputStream out =
      OutputStream::to_file(folder / "a", {.write_call = [](int fd, const void* bytes, std::size_t count) {
                              return ::write(fd, bytes, count > 3 ? 3 : count);
                            }});
  out.write(std::string_view("hello world"));
  out.finish();
  CHECK(read_file(folder / "a") == "hello world");
}

TEST_CASE("an interrupted write is tried again") {
  const TemporaryFolder folder;
  int calls = 0;
  OutputStream out = OutputStream::to_file(
      folder / "a", {.write_call = [&](int fd, const void* bytes, std::size_t count) -> ssize_t {
        if (++calls == 1) {
          errno = EINTR;
          return -1;
        }
        return ::write(fd, bytes, count);
      }});
  out.write(std::string_view("hello"));
  out.finish();
  CHECK(read_file(folder / "a") == "hello");
}

TEST_CASE("a full disk is told with the file's name") {
  const TemporaryFolder folder;
  OutputStream out =
      OutputStream::to_file(folder / "a", {.write_call = [](int, const void*, std::size_t) -> ssize_t {
                              errno = ENOSPC;
                              return -1;
                            }});
  CHECK(error_text([&] { out.write(std::string_view("x")); }) ==
        (folder / "a").string() + ": cannot write: No space left on device");
}

TEST_CASE("an existing file is never written over") {
  const TemporaryFolder folder;
  folder.write("a", "old");
  CHECK(error_text([&] { OutputStream::to_file(folder / "a", {}); }) ==
        (folder / "a").string() + ": cannot create: File exists");
  CHECK(read_file(folder / "a") == "old");
}

TEST_CASE("a file gets the mode that the umask gives") {
  const TemporaryFolder folder;
  const mode_t before = ::umask(027);
  OutputStream::to_file(folder / "a", {}).finish();
  ::umask(before);
  struct stat status {};
  REQUIRE(::stat((folder / "a").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0640);
}
