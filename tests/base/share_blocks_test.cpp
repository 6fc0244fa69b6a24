#include "base/share_blocks.h"

#include <doctest/doctest.h>

#include <fcntl.h>

#include "base/descriptor.h"
#include "support/temporary_folder.h"

using namespace keyshift;
using namespace keyshift::test;

TEST_CASE("the kernel copies a range of one file to a place in another, or says that it cannot") {
  const TemporaryFolder folder;
  const Descriptor from(::open(folder.write("from", "0123456789").c_str(), O_RDONLY));
  const Descriptor to(::open((folder / "to").c_str(), O_RDWR | O_CREAT, 0600));
  const std::int64_t copied = copy_in_kernel({from.get(), 2, to.get(), 3, 5});
  CHECK((copied == 5) == can_copy_in_kernel(from.get(), folder.path()));
  if (copied == 5) {
    CHECK(read_file(folder / "to") == std::string("\0\0\0", 3) + "23456");
  }
}

TEST_CASE("blocks are shared, or errno says why not; what was tried leaves nothing behind") {
  const TemporaryFolder folder;
  const std::string block(8192, 'x');
  const Descriptor from(::open(folder.write("from", block).c_str(), O_RDONLY));
  const bool can = can_share_blocks(from.get(), folder.path());
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
  const Descriptor to(::open((folder / "to").c_str(), O_RDWR | O_CREAT, 0600));
  CHECK((share_blocks({from.get(), 4096, to.get(), 0, 4096}) == 0) == can);
  if (can) {
    CHECK(read_file(folder / "to") == std::string(4096, 'x'));
  }
}

TEST_CASE("nothing can be shared with a folder that is not there, or from a file that is not open") {
  const TemporaryFolder folder;
  const Descriptor from(::open(folder.write("from", "1").c_str(), O_RDONLY));
  CHECK_FALSE(can_share_blocks(from.get(), folder / "nowhere"));
  CHECK_FALSE(can_copy_in_kernel(from.get(), folder / "nowhere"));
  CHECK_FALSE(can_share_blocks(-1, folder.path()));
}
