#include "base/compression.h"

#include <libdeflate.h>
#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <new>

namespace keyshift {

namespace {

constexpr int kQuickest = 1;
constexpr std::size_t kMostPerByte = 1032;                 // what one byte of deflate can unpack to
constexpr std::size_t kMaxBase64 = std::size_t{3} << 29U;  // bytes: libcrypto counts in int

struct Free {
  void operator()(libdeflate_compressor* compressor) const { libdeflate_free_compressor(compressor); }
  void operator()(libdeflate_decompressor* decompressor) const { libdeflate_free_decompressor(decompressor); }
};

}  // namespace

std::string compress(std::string_view text) {
  // Its tables are larger than most texts.
  static thread_local const std::unique_ptr<libdeflate_compressor, Free> compressor(
      libdeflate_alloc_compressor(kQuickest));
  if (!compressor) throw std::bad_alloc();
  const std::size_t bound = libdeflate_zlib_compress_bound(compressor.get(), text.size());
  // Not a string: that would touch every page of what is hardly used.
  const auto room = std::make_unique_for_overwrite<char[]>(bound);
  const std::size_t size =
      libdeflate_zlib_compress(compressor.get(), text.data(), text.size(), room.get(), bound);
  return {room.get(), size};
}

std::optional<std::string> decompress(std::string_view compressed, std::size_t size) {
  // A small text may claim to be a very large one.
  if (size / kMostPerByte > compressed.size()) return std::nullopt;
  const std::unique_ptr<libdeflate_decompressor, Free> decompressor(libdeflate_alloc_decompressor());
  if (!decompressor) throw std::bad_alloc();
  std::string out(size, '\0');
  std::size_t read = 0;
  // nullptr: what comes out must fill `out`.
  const libdeflate_result result = libdeflate_zlib_decompress_ex(
      decompressor.get(), compressed.data(), compressed.size(), out.data(), size, &read, nullptr);
  if (result != LIBDEFLATE_SUCCESS || read != compressed.size()) return std::nullopt;
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
