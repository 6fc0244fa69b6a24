#include "base/compression.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <boost/iostreams/device/array.hpp>
#include <boost/iostreams/device/back_inserter.hpp>
#include <boost/iostreams/filter/zlib.hpp>
#include <boost/iostreams/filtering_stream.hpp>
#include <boost/iostreams/filtering_streambuf.hpp>

namespace keyshift {

namespace io = boost::iostreams;

namespace {

constexpr std::streamsize kBuffer = 1 << 16;               // bytes
constexpr std::size_t kMaxBase64 = std::size_t{3} << 29U;  // bytes: libcrypto counts in int

}  // namespace

std::string compress(std::string_view text) {
  std::string out;
  io::filtering_ostream chain;
  chain.push(io::zlib_compressor(io::zlib_params(io::zlib::best_speed), kBuffer));
  chain.push(io::back_inserter(out));
  chain.write(text.data(), static_cast<std::streamsize>(text.size()));
  chain.reset();
  return out;
}

std::optional<std::string> decompress(std::string_view compressed, std::size_t limit) {
  std::string out;
  try {
    io::filtering_istreambuf chain;
    chain.push(io::zlib_decompressor());
    chain.push(io::array_source(compressed.data(), compressed.size()));
    // Piece by piece: a small text may claim to be a very large one.
    std::array<char, kBuffer> piece{};
    for (;;) {
      const std::streamsize got = chain.sgetn(piece.data(), piece.size());
      if (got <= 0) break;
      out.append(piece.data(), static_cast<std::size_t>(got));
      if (out.size() > limit) return std::nullopt;
    }
  } catch (const std::exception&) {
    return std::nullopt;
  }
  return out;
}

std::string to_base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(length));
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() > kMaxBase64) return std::nullopt;
  std::string out(text.size() / 4 * 3, '\0');
  const int length =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (length < 0) return std::nullopt;
  const auto padding = static_cast<std::size_t>(std::min<std::ptrdiff_t>(
      2, std::distance(text.rbegin(),
                       std::find_if(text.rbegin(), text.rend(), [](char c) { return c != '='; }))));
  out.resize(static_cast<std::size_t>(length) - std::min(padding, static_cast<std::size_t>(length)));
  // EVP_DecodeBlock trims white space and takes other spellings; only what we would have written is ours.
  if (to_base64(out) != text) return std::nullopt;
  return out;
}

}  // namespace keyshift
