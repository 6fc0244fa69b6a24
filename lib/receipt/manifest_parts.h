// What the readers of manifests share.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "receipt/manifest.h"

namespace keyshift {

Manifest parse_lines(std::string_view text, const std::string& file_name);
/// `root`: a statement, or a bundle around one.
Manifest parse_statement(const json::Node& root, const std::string& file_name);

/// Members of a JSON manifest; every refusal names the member.
class ManifestMembers {
 public:
  explicit ManifestMembers(std::string file) : file_(std::move(file)) {}
  [[noreturn]] void fail(std::string what) const;
  const json::Node& member(const json::Node& object, std::string_view name, json::Kind kind) const;
  /// nullptr if it is absent or null.
  const json::Node* optional(const json::Node& object, std::string_view name, json::Kind kind) const;
  std::uint64_t number(const json::Node& value, std::string_view name) const;
  /// A name that may be joined to a folder.
  std::string safe_name(const std::string& name) const;
  /// Lower-case hex digits of the right number.
  FileDigest digest(DigestKind kind, const std::string& hex) const;

 private:
  std::string file_;
};

}  // namespace keyshift
