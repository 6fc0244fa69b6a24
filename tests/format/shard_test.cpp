#include "format/shard.h"

#include <doctest/doctest.h>

#include "support/error_text.h"
#include "support/shard_builder.h"
#include "support/temporary_folder.h"

using namespace keyshift;
using namespace keyshift::test;

namespace {

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TEST_CASE("a shard gives its tensors as views of the file") {
  const TemporaryFolder folder;
  const std::string file = shard_of({{"a", "0123"}, {"b", ""}, {"c", "45678"}});
  const Shard shard = Shard::open(folder.write("m.safetensors", file), "m.safetensors");
  CHECK(shard.name() == "m.safetensors");
  REQUIRE(shard.header().tensors().size() == 3);
  shard.file().populate(0, file.size());
  CHECK(text_of(shard.bytes(shard.header().tensors()[0])) == "0123");
  CHECK(text_of(shard.bytes(shard.header().tensors()[1])).empty());
  CHECK(text_of(shard.bytes(shard.header().tensors()[2])) == "45678");
  CHECK(text_of(shard.header_bytes()) == file.substr(0, file.size() - 9));
}

TEST_CASE("a shard stays whole when it is moved") {
  const TemporaryFolder folder;
  Shard first = Shard::open(folder.write("m.safetensors", shard_of({{"a", "0123"}})), "m");
  const Shard second = std::move(first);
  second.file().populate(0, second.file().size());
  CHECK(second.header().tensors()[0].key == "a");
  CHECK(text_of(second.bytes(second.header().tensors()[0])) == "0123");
}

TEST_CASE("the first byte of the data section cannot mend an unclosed header") {
  const TemporaryFolder folder;
  const std::string header = R"({"a":{"dtype":"U8","shape":[100],"data_offsets":[0,100]})";
  for (const char behind : {'}', ']', ',', '"', ' '}) {
    const auto path = folder.write("m.safetensors", shard_file(header, std::string(100, behind)));
    CHECK(error_text([&] { Shard::open(path, "m"); }) ==
          path.string() + ": byte 64: is not JSON: it ends inside an object");
  }
  // And a right one is read whatever lies behind it.
  for (int behind = 0; behind < 256; ++behind) {
    const auto path =
        folder.write("m.safetensors", shard_file(header + "}", std::string(100, static_cast<char>(behind))));
    CHECK(Shard::open(path, "m").header().data_size() == 100);
  }
}

TEST_CASE("errors of a shard name its file") {
  const TemporaryFolder folder;
  const auto empty = folder.write("m.safetensors", "");
  CHECK(error_text([&] { Shard::open(empty, "m"); }) ==
        empty.string() +
            ": the file has 0 bytes, and the length of its header alone takes 8: the download was cut, fetch "
            "it again");
  CHECK(error_text([&] { Shard::open(folder / "none", "m"); }) ==
        (folder / "none").string() + ": cannot open: No such file or directory");
}
