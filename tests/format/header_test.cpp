#include "format/header.h"

#include <doctest/doctest.h>

#include <array>

#include "support/error_text.h"
#include "support/shard_builder.h"

using namespace keyshift;
using keyshift::test::error_text;
using keyshift::test::shard_file;

namespace {

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

struct Verdict {
  std::string text = "no error";
  std::string kind;
};

Verdict read(std::string_view file) {
  try {
    Header::read(bytes_of(file), "f");
    return {};
  } catch (const Error& error) {
    return {error.what(), std::string(name(error.kind()))};
  }
}

struct Fault {
  std::string json;
  std::size_t data;  // bytes
  const char *kind, *text;
};

void check(const std::vector<Fault>& faults) {
  for (const Fault& fault : faults) {
    const Verdict verdict = read(shard_file(fault.json, std::string(fault.data, 'x')));
    CHECK_MESSAGE(verdict.text == fault.text, fault.json);
    CHECK_MESSAGE(verdict.kind == fault.kind, fault.json);
  }
}

}  // namespace

TEST_CASE("F1: a file shorter than its length field is refused") {
  for (std::size_t size = 0; size < 8; ++size) {
    const Verdict verdict = read(std::string(size, '\0'));
    CHECK(verdict.kind == "header_too_small");
    CHECK(verdict.text ==
          "f: the file has " + std::to_string(size) +
              " bytes, and the length of its header alone takes 8: the download was cut, fetch it again");
  }
}

TEST_CASE("F2: a header longer than 100,000,000 bytes is refused, and what else the file may be is told") {
  const auto advice = [](const std::string& start) {
    const Verdict verdict = read(start + std::string(16, '\0'));
    CHECK(verdict.kind == "header_too_large");
    return verdict.text.substr(verdict.text.find("at most: ") + 9);
  };
  CHECK(read(std::string("\x01\xe1\xf5\x05\0\0\0\0", 8)).text ==
        "f: byte 0: the first 8 bytes say that the header has 100000001 bytes, and it may have 100000000 at "
        "most: it is "
        "no safetensors file, or it is damaged");
  CHECK(read(std::string("\x00\xe1\xf5\x05\0\0\0\0", 8)).kind == "header_beyond_file");
  CHECK(advice("version https://git-lfs.github.com/spec/v1") ==
        "it looks like a Git LFS pointer: fetch the file itself with `git lfs pull`");
  CHECK(advice("PK\x03\x04torch/") ==
        "it looks like a zip archive, such as torch.save writes: it is no safetensors file");
  CHECK(advice("<!DOCTYPE html>") ==
        "it looks like a web page, perhaps an error page of the server: fetch the file again");
  CHECK(advice("{\"error\":1}") ==
        "it looks like bare JSON, perhaps an error message of the server: fetch the file again");
}

TEST_CASE("F3: a header that ends behind the file is refused") {
  const Verdict verdict = read(std::string("\x10\0\0\0\0\0\0\0{}", 10));
  CHECK(verdict.kind == "header_beyond_file");
  CHECK(verdict.text ==
        "f: byte 0: the header should have 16 bytes, and only 2 follow its length: the download was cut, "
        "fetch it again");
}

TEST_CASE("F4, F5: a header that is not UTF-8 or not JSON is refused") {
  check({
      {"", 0, "header_not_json", "f: byte 8: is not JSON: it holds no value"},
      {"{\"\xff\":1}", 0, "header_not_utf8",
       "f: byte 10: is not UTF-8 here; the file is damaged or of another format"},
      {"{\"a\":{\"x\":tru}}", 0, "header_not_json", "f: byte 18: is not JSON: true or false was expected"},
      {R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":1e400}})", 0, "header_not_json",
       "f: byte 64: is not JSON: the number \"1e400\" is out of range"},
  });
}

TEST_CASE("F6: a header that is no object is refused") {
  check({
      {"[]", 0, "header_not_object",
       "f: byte 8: the header is an array, and it must be an object of tensors"},
      {" null", 0, "header_not_object", "f: byte 9: the header is null, and it must be an object of tensors"},
  });
}

TEST_CASE("F7: __metadata__ is null or an object of strings, and stands once") {
  check({
      {R"({"__metadata__":[]})", 0, "metadata_invalid",
       "f: byte 24: __metadata__ is an array, and it must be an object of strings, or null"},
      {R"({"__metadata__":{"a":1}})", 0, "metadata_invalid",
       "f: byte 29: the value of \"a\" in __metadata__ is a number, and it must be a string"},
      {R"({"__metadata__":null,"\u005f_metadata__":null})", 0, "metadata_invalid",
       "f: byte 49: __metadata__ stands in the header twice, and it may once"},
  });
}

TEST_CASE("F8: an entry that is no tensor is refused with its key") {
  check({
      {R"({"a":1})", 0, "entry_invalid",
       "f: byte 13: key \"a\": the tensor is described by a number, and it must be an object with dtype, "
       "shape and "
       "data_offsets"},
      {R"({"a":{}})", 0, "entry_invalid", "f: byte 9: key \"a\": the tensor's dtype is missing"},
      {R"({"a":{"dtype":"U8","data_offsets":[0,0]}})", 0, "entry_invalid",
       "f: byte 9: key \"a\": the tensor's shape is missing"},
      {R"({"a":{"dtype":"U8","shape":[]}})", 0, "entry_invalid",
       "f: byte 9: key \"a\": the tensor's data_offsets is missing"},
      {R"({"a":{"dtype":"U8","dtype":"U8","shape":[],"data_offsets":[0,1]}})", 1, "entry_invalid",
       "f: byte 35: key \"a\": the tensor has dtype twice, and it may once"},
      {R"({"a":{"dtype":"U9","shape":[],"data_offsets":[0,1]}})", 1, "dtype_unknown",
       "f: byte 22: key \"a\": the dtype \"U9\" is none of the 22 that safetensors 0.8.0 knows"},
      {R"({"a":{"dtype":8,"shape":[],"data_offsets":[0,1]}})", 1, "entry_invalid",
       "f: byte 22: key \"a\": the dtype is a number, and it must be a string"},
      {R"({"a":{"dtype":{"U8":0},"shape":[],"data_offsets":[0,1]}})", 1, "entry_invalid",
       "f: byte 22: key \"a\": the dtype is an object, and it must be a string"},
      {R"({"a":{"dtype":{"U8":null,"I8":null},"shape":[],"data_offsets":[0,1]}})", 1, "entry_invalid",
       "f: byte 22: key \"a\": the dtype is an object, and it must be a string"},
      {R"({"a":{"dtype":{},"shape":[],"data_offsets":[0,1]}})", 1, "entry_invalid",
       "f: byte 22: key \"a\": the dtype is an object, and it must be a string"},
      {R"({"a":{"dtype":"U8","shape":1,"data_offsets":[0,1]}})", 1, "entry_invalid",
       "f: byte 35: key \"a\": shape is a number, and it must be an array of integers"},
      {R"({"a":{"dtype":"U8","shape":["1"],"data_offsets":[0,1]}})", 1, "entry_invalid",
       "f: byte 36: key \"a\": shape holds a string, and it must hold integers"},
      {R"({"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}})", 1, "entry_invalid",
       "f: byte 36: key \"a\": shape holds a number that is no integer from 0 to 2^64-1"},
      {R"({"a":{"dtype":"U8","shape":[-0],"data_offsets":[0,1]}})", 1, "entry_invalid",
       "f: byte 36: key \"a\": shape holds a number that is no integer from 0 to 2^64-1"},
      {R"({"a":{"dtype":"U8","shape":[],"data_offsets":{}}})", 1, "entry_invalid",
       "f: byte 53: key \"a\": data_offsets is an object, and it must be an array of two integers"},
      {R"({"a":{"dtype":"U8","shape":[],"data_offsets":[0]}})", 1, "entry_invalid",
       "f: byte 53: key \"a\": data_offsets holds 1 integers, and it must hold two"},
      {R"({"a":{"dtype":"U8","shape":[],"data_offsets":[0,1,1]}})", 1, "entry_invalid",
       "f: byte 53: key \"a\": data_offsets holds 3 integers, and it must hold two"},
      {R"({"a":{"dtype":"U8","shape":[],"data_offsets":[0,18446744073709551616]}})", 1, "entry_invalid",
       "f: byte 56: key \"a\": data_offsets holds a number that is no integer from 0 to 2^64-1"},
      {R"({"a":["U8",[]]})", 1, "entry_invalid",
       "f: byte 13: key \"a\": the tensor is described by an array, which must hold dtype, shape and "
       "data_offsets"},
      {R"({"a":["U8",[],[0,1],null]})", 1, "entry_invalid",
       "f: byte 13: key \"a\": the tensor is described by an array, which must hold dtype, shape and "
       "data_offsets"},
      {R"({"a":7,"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]}})", 1, "entry_invalid",
       "f: byte 13: key \"a\": the tensor is described by a number, and it must be an object with dtype, "
       "shape and "
       "data_offsets"},
  });
}

TEST_CASE("F9: a hole, an overlap or an end before the begin is refused with its place") {
  check({
      {R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[1,5]}})", 5, "offsets_invalid",
       "f: byte 9: key \"a\": data_offsets [1, 5] leave a hole of 1 bytes, the data section starts at 0: "
       "every byte of "
       "the data section must belong to exactly one tensor"},
      {R"({"b":{"dtype":"U8","shape":[4],"data_offsets":[8,12]},"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})",
       12, "offsets_invalid",
       "f: byte 9: key \"b\": data_offsets [8, 12] leave a hole of 4 bytes, the tensor \"a\" ends at 4: "
       "every byte of "
       "the data section must belong to exactly one tensor"},
      {R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})",
       6, "offsets_invalid",
       "f: byte 61: key \"b\": data_offsets [2, 6] overlap the tensor \"a\", which ends at 4: every byte of "
       "the data "
       "section must belong to exactly one tensor"},
      {R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[4,0]}})", 0, "offsets_invalid",
       "f: byte 9: key \"a\": data_offsets [4, 0] end before they begin"},
  });
}

TEST_CASE("F10, F11: a shape that overflows, has no whole bytes, or does not fit its offsets is refused") {
  check({
      {R"({"a":{"dtype":"U8","shape":[9223372036854775808,2,0],"data_offsets":[0,0]}})", 0, "size_overflow",
       "f: byte 9: key \"a\": the shape [9223372036854775808, 2, 0] of U8 has more than 2^64 bits"},
      {R"({"a":{"dtype":"U64","shape":[1152921504606846976],"data_offsets":[0,0]}})", 0, "size_overflow",
       "f: byte 9: key \"a\": the shape [1152921504606846976] of U64 has more than 2^64 bits"},
      {R"({"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}})", 2, "size_misaligned",
       "f: byte 9: key \"a\": the shape [3] of F4 has 12 bits, which are no whole bytes"},
      {R"({"a":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,11]}})", 11, "size_mismatch",
       "f: byte 9: key \"a\": the shape [2, 3] of BF16 needs 12 bytes, data_offsets [0, 11] hold 11"},
  });
  // From left to right: the nought comes first here.
  CHECK(read(shard_file(R"({"a":{"dtype":"U8","shape":[0,9223372036854775808,2],"data_offsets":[0,0]}})", ""))
            .text == "no error");
}

TEST_CASE("F12: a file that is shorter or longer than its tensors is refused") {
  check({
      {R"({"a":{"dtype":"U8","shape":[16],"data_offsets":[0,16]}})", 4, "data_not_covered",
       "f: byte 67: the file is 12 bytes shorter than its header says (16 bytes of tensors, 4 are there): "
       "the download "
       "or the copy was cut, fetch it again"},
      {R"({"a":{"dtype":"U8","shape":[16],"data_offsets":[0,16]}})", 17, "data_not_covered",
       "f: byte 79: 1 bytes at the end of the file belong to no tensor (the header tells of 16 bytes of "
       "tensors, 17 are "
       "there): the file is damaged or its writer is, fetch it again"},
      {"{}", 1, "data_not_covered",
       "f: byte 10: 1 bytes at the end of the file belong to no tensor (the header tells of 0 bytes of "
       "tensors, 1 are "
       "there): the file is damaged or its writer is, fetch it again"},
  });
}

TEST_CASE("what is odd is accepted and told") {
  const std::string file = shard_file(
      R"( {"b":["F32",[1],[4,8]],"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":{"y":[null]}},"":{"data_offsets":[8,8],"shape":[0,7],"dtype":{"F32":null}},"\u0061":{"dtype":"U8","shape":[2,2],"data_offsets":[0,4]},"__metadata__":{}})",
      "01234567");
  const Header header = Header::read(bytes_of(file), "f");
  CHECK(header.oddities().leading_blanks);
  CHECK(header.oddities().entries_as_arrays);
  CHECK(header.oddities().empty_metadata);
  CHECK(header.oddities().repeated_keys == std::vector<std::string>{"a"});
  REQUIRE(header.tensors().size() == 3);
  CHECK(header.tensors()[0].key == "b");
  CHECK(header.tensors()[1].key == "");
  CHECK(header.tensors()[2].key == "a");  // the last entry counts, at its own place
  CHECK(header.tensors()[2].size() == 4);
  CHECK(header.tensors()[2].text_offset == 8 + std::string_view(file).substr(8).find("\"\\u0061\""));
  CHECK(header.tensors()[1].shape.size() == 2);
  CHECK(std::vector<std::uint32_t>(header.by_offset().begin(), header.by_offset().end()) ==
        std::vector<std::uint32_t>{2, 0, 1});
  REQUIRE(header.metadata());
  CHECK(header.metadata()->empty());
}

TEST_CASE("__metadata__ keeps its order, a repeated name its place and its last value") {
  const std::string file = shard_file(R"({"__metadata__":{"z":"1","a":"\u00e9","z":"3"}})", "");
  const Header header = Header::read(bytes_of(file), "f");
  CHECK(header.metadata() == Metadata{{"z", "3"}, {"a", "é"}});
  CHECK_FALSE(Header::read(bytes_of(shard_file(R"({"__metadata__":null})", "")), "f").metadata());
  CHECK(header.oddities().repeated_keys.empty());
}

TEST_CASE("every dtype is read with its size") {
  for (int i = 0; i < kDtypeCount; ++i) {
    const auto dtype = static_cast<Dtype>(i);
    const std::string json = R"({"t":{"dtype":")" + std::string(name(dtype)) +
                             R"(","shape":[4,2],"data_offsets":[0,)" + std::to_string(bits(dtype)) + "]}}";
    const std::string file = shard_file(json, std::string(static_cast<std::size_t>(bits(dtype)), '\0'));
    const Header header = Header::read(bytes_of(file), "f");
    CHECK(header.tensors()[0].dtype == dtype);
    CHECK(header.data_size() == static_cast<std::uint64_t>(bits(dtype)));
  }
}

TEST_CASE("a header stays whole when it is moved") {
  const std::string file = shard_file(
      R"({"a":{"dtype":"U8","shape":[2,1],"data_offsets":[0,2]},"\u0062":{"dtype":"U8","shape":[],"data_offsets":[2,3]}})",
      "xyz");
  Header first = Header::read(bytes_of(file), "f");
  const Header second = std::move(first);
  CHECK(second.tensors()[0].shape[0] == 2);
  CHECK(second.tensors()[1].key == "b");
  CHECK(second.data_start() == file.size() - 3);
}

TEST_CASE("a shard that is cut anywhere is refused") {
  const std::string file = keyshift::test::shard_of({{"a", "0123"}, {"b", "45678"}});
  CHECK(read(file).text == "no error");
  for (std::size_t size = 0; size < file.size(); ++size) {
    CHECK_MESSAGE(read(file.substr(0, size)).text != "no error", size);
  }
}

TEST_CASE("every changed byte gives the same verdict again, and what is accepted fills the file") {
  const std::string file = keyshift::test::shard_of({{"a", "0123"}, {"b\\n", "45678"}}, R"({"format":"pt"})");
  const std::size_t header_end = file.size() - 9;
  std::size_t accepted = 0;
  for (std::size_t at = 0; at < header_end; ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = file;
      changed[at] = static_cast<char>(byte);
      const Verdict verdict = read(changed);
      REQUIRE(read(changed).text == verdict.text);
      if (verdict.text != "no error") continue;
      ++accepted;
      const Header header = Header::read(bytes_of(changed), "f");
      std::uint64_t size = 0;
      for (const TensorInfo& tensor : header.tensors()) size += tensor.size();
      REQUIRE(header.data_start() + size == file.size());
    }
  }
  CHECK(accepted > header_end);  // at the least each byte as it is, and other letters in the keys
}
