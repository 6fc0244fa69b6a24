#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "receipt/manifest.h"
#include "receipt/manifest_parts.h"

namespace keyshift {

namespace {

constexpr std::string_view kHex = "0123456789abcdefABCDEF";

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

std::optional<DigestKind> kind_by_length(std::size_t digits) {
  if (digits == 32) return DigestKind::xxh3_128;
  if (digits == 40) return DigestKind::sha1;
  if (digits == 64) return DigestKind::sha256;
  return std::nullopt;
}

std::optional<DigestKind> kind_by_tag(std::string_view tag) {
  if (tag == "XXH128") return DigestKind::xxh3_128;
  if (tag == "SHA1") return DigestKind::sha1;
  if (tag == "SHA256") return DigestKind::sha256;
  return std::nullopt;
}

class Lines {
 public:
  Lines(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  Manifest run() {
    for (std::size_t at = 0; at < text_.size();) {
      const std::size_t end = std::min(text_.find('\n', at), text_.size());
      begin_ = at;
      std::string_view line = text_.substr(at, end - at);
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (!line.empty()) manifest_.files.push_back(read(line));
      at = end + 1;
    }
    if (manifest_.files.empty()) throw Error(ErrorKind::manifest_invalid, "lists no file").in(file_);
    manifest_.is_folder = !is_of_single_file();
    return std::move(manifest_);
  }

 private:
  // One .safetensors file, at most with its receipt: what else lies beside it is none of its business.
  bool is_of_single_file() const {
    std::size_t shards = 0, others = 0;
    for (const ManifestFile& file : manifest_.files) {
      if (file.name.ends_with(".safetensors"))
        ++shards;
      else if (!file.name.ends_with(".keyshift-receipt.json"))
        ++others;
    }
    return shards == 1 && others == 0;
  }

  [[noreturn]] void fail(std::size_t at, std::string what) const {
    throw Error(ErrorKind::manifest_invalid, std::move(what)).in(file_).showing(text_, begin_ + at);
  }

  ManifestFile read(std::string_view line) const {
    const bool escaped = line.starts_with('\\');
    if (escaped) line.remove_prefix(1);
    const std::size_t digits = std::min(line.find_first_not_of(kHex), line.size());
    const std::string_view gap = line.substr(digits, 2);
    const bool gnu = digits >= 8 && (gap == "  " || gap == " *");
    return gnu ? read_gnu(line, digits, escaped) : read_tagged(line, escaped);
  }

  // DIGEST  NAME
  ManifestFile read_gnu(std::string_view line, std::size_t digits, bool escaped) const {
    const auto kind = kind_by_length(digits);
    if (!kind)
      fail(0, fmt::format(
                  "a digest of {} hex digits; those of 32 (XXH3-128), 40 (SHA-1) and 64 (SHA-256) are known",
                  digits));
    return make(line.substr(digits + 2), escaped, *kind, line.substr(0, digits), digits + 2);
  }

  // ALGORITHM (NAME) = DIGEST
  ManifestFile read_tagged(std::string_view line, bool escaped) const {
    const std::size_t open = line.find(" (");
    const std::size_t close = line.rfind(") = ");
    if (open == std::string_view::npos || close == std::string_view::npos || close < open + 2)
      fail(0, "is neither \"DIGEST  NAME\" nor \"ALGORITHM (NAME) = DIGEST\"");
    const auto kind = kind_by_tag(line.substr(0, open));
    if (!kind)
      fail(0, fmt::format("the algorithm {} is not known; XXH128, SHA1 and SHA256 are",
                          quote(line.substr(0, open))));
    const std::string_view hex = line.substr(close + 4);
    if (hex.find_first_not_of(kHex) != std::string_view::npos || kind_by_length(hex.size()) != kind)
      fail(close + 4, fmt::format("is no digest of {}", line.substr(0, open)));
    return make(line.substr(open + 2, close - open - 2), escaped, *kind, hex, open + 2);
  }

  ManifestFile make(std::string_view name, bool escaped, DigestKind kind, std::string_view hex,
                    std::size_t at) const {
    ManifestFile file;
    file.name = escaped ? unescaped(name, at) : std::string(name);
    if (file.name.starts_with("./")) file.name.erase(0, 2);
    const std::string why = unsafe_manifest_name(file.name);
    if (!why.empty()) fail(at, fmt::format("the name {} {}", quote(file.name), why));
    file.digests.push_back({kind, lower(hex)});
    return file;
  }

  std::string unescaped(std::string_view name, std::size_t at) const {
    std::string out;
    for (std::size_t i = 0; i < name.size(); ++i) {
      if (name[i] != '\\') {
        out += name[i];
        continue;
      }
      const char next = ++i < name.size() ? name[i] : '\0';
      if (next != '\\' && next != 'n' && next != 'r') fail(at, "the name holds an escape that is none");
      out += next == 'n' ? '\n' : next == 'r' ? '\r' : '\\';
    }
    return out;
  }

  std::string_view text_;
  const std::string& file_;
  std::size_t begin_ = 0;  // of the line
  Manifest manifest_;
};

}  // namespace

std::string_view name(DigestKind kind) noexcept {
  switch (kind) {
    case DigestKind::xxh3_128:
      return "XXH3-128";
    case DigestKind::sha256:
      return "SHA-256";
    case DigestKind::sha1:
      return "SHA-1";
    case DigestKind::git_sha1:
      return "git's SHA-1";
  }
  return "";
}

std::string unsafe_manifest_name(std::string_view name) {
  if (name.empty()) return "names nothing";
  if (name.front() == '/') return "is absolute, where names below one folder are read";
  if (name.find('\0') != std::string_view::npos) return "holds a NUL";
  for (std::size_t at = 0; at <= name.size();) {
    const std::size_t end = std::min(name.find('/', at), name.size());
    const std::string_view part = name.substr(at, end - at);
    if (part == "..") return "leads out of the folder";
    if (part.empty() || part == ".") return "has a part that names nothing";
    at = end + 1;
  }
  return "";
}

Manifest parse_lines(std::string_view text, const std::string& file_name) {
  return Lines(text, file_name).run();
}

// xxhsum 0.8.1 takes a name as it is; it knows no way to write a line end.
std::string manifest_line(const Digest& digest, const std::string& name) {
  if (name.find_first_of("\n\r") != std::string::npos) {
    throw Error(ErrorKind::manifest_invalid,
                fmt::format("the name {} holds a line end, which a line of xxhsum cannot hold; use --json",
                            quote(name)));
  }
  return fmt::format("{}  {}\n", digest.hex(), name);
}

// sha256sum puts a backslash before a line whose name holds escapes.
std::string manifest_line(const Sha256& digest, const std::string& name) {
  std::string escaped;
  for (const char c : name) {
    if (c == '\\')
      escaped += "\\\\";
    else if (c == '\n')
      escaped += "\\n";
    else if (c == '\r')
      escaped += "\\r";
    else
      escaped += c;
  }
  return fmt::format("{}{}  {}\n", escaped == name ? "" : "\\", digest.hex(), escaped);
}

}  // namespace keyshift
