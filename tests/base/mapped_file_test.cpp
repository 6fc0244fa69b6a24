#include "base/mapped_file.h"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <cstring>

#include <filesystem>

#include "support/error_text.h"
#include "support/temporary_folder.h"

using namespace keyshift;
using keyshift::test::error_text;
using keyshift::test::TemporaryFolder;

namespace {

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TEST_CASE("a file is mapped as a whole") {
  const TemporaryFolder folder;
  const auto path = folder.write("a", "hello");
  const MappedFile file = MappedFile::open(path);
  file.populate(0, 5);
  CHECK(file.size() == 5);
  CHECK(text_of(file.bytes()) == "hello");
  CHECK(file.path() == path);
}

TEST_CASE("an empty file has no bytes and can be populated") {
  const TemporaryFolder folder;
  const MappedFile file = MappedFile::open(folder.write("a", ""));
  file.populate(0, 0);
  CHECK(file.bytes().empty());
}

TEST_CASE("what is no regular file is refused, and a FIFO does not hang") {
  const TemporaryFolder folder;
  REQUIRE(::mkfifo((folder / "fifo").c_str(), 0600) == 0);
  CHECK(error_text([&] { MappedFile::open(folder / "fifo"); }) ==
        (folder / "fifo").string() + ": is not a regular file");
  CHECK(error_text([&] { MappedFile::open(folder.path()); }) ==
        folder.path().string() + ": is not a regular file");
  CHECK(error_text([] { MappedFile::open("/dev/zero"); }) == "/dev/zero: is not a regular file");
  CHECK(error_text([&] { MappedFile::open(folder / "none"); }) ==
        (folder / "none").string() + ": cannot open: No such file or directory");
}

TEST_CASE("a file that is cut under the mapping is an error of populate, not a signal") {
  const TemporaryFolder folder;
  const auto path = folder.write("a", std::string(100'000, 'x'));
  const MappedFile file = MappedFile::open(path);
  std::filesystem::resize_file(path, 10'000);
  file.populate(0, 10'000);
  CHECK(error_text([&] { file.populate(50'000, 10); }) ==
        path.string() + ": byte 50000: cannot read 10 bytes: the file became shorter or the disk failed");
  CHECK(
      error_text([&] { file.check_unchanged(); }) ==
      path.string() +
          ": was changed by somebody else while it was read; nothing was published, run again when it rests");
}

TEST_CASE("a change of contents is noticed, a rename over the name is not one") {
  const TemporaryFolder folder;
  const auto path = folder.write("a", "hello");
  const MappedFile file = MappedFile::open(path);
  file.check_unchanged();
  std::filesystem::rename(folder.write("b", "other"), path);
  file.populate(0, 5);
  CHECK(text_of(file.bytes()) == "hello");

  const MappedFile other = MappedFile::open(path);
  std::filesystem::last_write_time(path, std::filesystem::file_time_type::min() + std::chrono::hours(1));
  CHECK(error_text([&] { other.check_unchanged(); }) != "no error");
}

TEST_CASE("released bytes can be read again") {
  const TemporaryFolder folder;
  std::string text(100'000, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i / 97);
  const MappedFile file = MappedFile::open(folder.write("a", text));
  file.populate(0, text.size());
  file.release(0, text.size());
  file.release(1, 2);
  file.populate(0, text.size());
  CHECK(text_of(file.bytes()) == text);
}

TEST_CASE("a file keeps its mapping when it is moved") {
  const TemporaryFolder folder;
  MappedFile first = MappedFile::open(folder.write("a", "hello"));
  const MappedFile second = std::move(first);
  second.populate(0, 5);
  CHECK(text_of(second.bytes()) == "hello");
}

TEST_CASE("a file that is read has the same bytes as one that is mapped, window by window") {
  const TemporaryFolder folder;
  std::string text(3 * 4096 + 17, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 7 / 3);
  const auto path = folder.write("file", text);
  const MappedFile file = MappedFile::open(path, FileAccess::read);
  CHECK_FALSE(file.is_mapped());
  CHECK(MappedFile::open(path, FileAccess::automatic).is_mapped());
  REQUIRE(file.bytes().size() == text.size());
  for (const auto& [offset, length] :
       {std::pair<std::uint64_t, std::uint64_t>{0, 10}, {4090, 100}, {8000, 4305}, {0, 12305}}) {
    file.will_need(offset, length);
    file.populate(offset, length);
    CHECK(std::memcmp(file.bytes().data() + offset, text.data() + offset, length) == 0);
    file.release(offset, length);
  }
  CHECK(MappedFile::open(folder.write("empty", ""), FileAccess::read).bytes().empty());
}

TEST_CASE("a file that became shorter while it is read is an error with the place, not a death") {
  const TemporaryFolder folder;
  const auto path = folder.write("file", std::string(10000, 'x'));
  const MappedFile file = MappedFile::open(path, FileAccess::read);
  std::filesystem::resize_file(path, 5000);
  file.populate(0, 4096);
  CHECK(error_text([&] { file.populate(4096, 4096); }) ==
        path.string() + ": byte 5000: the file became shorter");
}
