#include <fmt/format.h>

#include <array>
#include <cstring>

#include "base/error.h"
#include "format/header.h"

namespace keyshift {

namespace {

// What else is met under the name of a shard, by its first bytes.
struct Impostor {
  std::string_view start, advice;
};
constexpr std::array<Impostor, 7> kImpostors = {{
    {"version ", "it looks like a Git LFS pointer: fetch the file itself with `git lfs pull`"},
    {"PK\x03\x04", "it looks like a zip archive, such as torch.save writes: it is no safetensors file"},
    {"GGUF", "it looks like a GGUF file: it is no safetensors file"},
    {"\x89HDF", "it looks like an HDF5 file: it is no safetensors file"},
    {"<!DOCTYP", "it looks like a web page, perhaps an error page of the server: fetch the file again"},
    {"<html", "it looks like a web page, perhaps an error page of the server: fetch the file again"},
    {"{", "it looks like bare JSON, perhaps an error message of the server: fetch the file again"},
}};

std::string_view advice_for(std::string_view first_bytes) {
  for (const Impostor& impostor : kImpostors) {
    if (first_bytes.starts_with(impostor.start)) return impostor.advice;
  }
  return "it is no safetensors file, or it is damaged";
}

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 8; i-- > 0;) value = (value << 8U) | static_cast<unsigned char>(bytes[i]);
  return value;
}

}  // namespace

std::uint64_t header_length(std::span<const std::byte> first_bytes, std::uint64_t file_size,
                            const std::string& file_name) {
  if (file_size < 8 || first_bytes.size() < 8) {
    throw Error(
        ErrorKind::header_too_small,
        fmt::format("the file has {} bytes, and the length of its header alone takes 8: the download was "
                    "cut, fetch it again",
                    file_size))
        .in(file_name);
  }
  const std::string_view start(reinterpret_cast<const char*>(first_bytes.data()), 8);
  const std::uint64_t length = little_endian(start);
  if (length > kMaxHeaderLength) {
    throw Error(
        ErrorKind::header_too_large,
        fmt::format(
            "the first 8 bytes say that the header has {} bytes, and it may have 100000000 at most: {}",
            length, advice_for(start)))
        .in(file_name)
        .at(0);
  }
  if (length > file_size - 8) {
    throw Error(
        ErrorKind::header_beyond_file,
        fmt::format("the header should have {} bytes, and only {} follow its length: the download was cut, "
                    "fetch it again",
                    length, file_size - 8))
        .in(file_name)
        .at(0);
  }
  return length;
}

}  // namespace keyshift
