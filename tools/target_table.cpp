// --target: what a model expects.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "base/file_system.h"
#include "format/checkpoint.h"
#include "tools/style.h"
#include "tools/transform_options.h"

namespace keyshift::tools {

namespace {

constexpr std::uint64_t kLargestTable = 1U << 30U;  // bytes; a table of 91,000 keys has 8 MB

std::string key_of(json::Value& element) {
  std::string key;
  if (element.kind() == json::Kind::string) return std::string(element.string());
  std::size_t position = 0;
  if (element.kind() == json::Kind::array) {
    element.elements([&](json::Value& part) {
      if (position++ > 0) return;
      if (part.kind() != json::Kind::string) {
        throw part.error(ErrorKind::transform_file_invalid,
                         "expected a key, a string, first in [key, dtype, shape]");
      }
      key = std::string(part.string());
    });
    if (position > 0) return key;
  }
  throw element.error(ErrorKind::transform_file_invalid, "expected a key, a string, or [key, dtype, shape]");
}

TargetKeys parse_table(const std::string& text, const std::string& file) {
  TargetKeys target;
  json::Document document(
      text, 0, {file, 0, ErrorKind::transform_file_invalid, ErrorKind::transform_file_invalid, true});
  document.read([&](json::Value& table) {
    table.elements([&](json::Value& element) { target.keys.insert(key_of(element)); });
  });
  return target;
}

// A table is told from a checkpoint's index by its first character.
bool starts_with_bracket(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string::npos && text[first] == '[';
}

void note_keys(std::string_view what, const std::vector<std::string>& keys, Console& console) {
  constexpr std::size_t kShown = 5;
  if (keys.empty()) return;
  console.note(fmt::format("{}: {}", what, counted(keys.size(), "key")));
  for (std::size_t i = 0; i < std::min(kShown, keys.size()); ++i) console.note("  " + printable(keys[i]));
  if (keys.size() > kShown) console.note(fmt::format("  and {} more", grouped(keys.size() - kShown)));
}

}  // namespace

std::shared_ptr<const TargetKeys> read_target(const std::filesystem::path& path, const OpenOptions& open) {
  std::error_code ignored;  // Checkpoint::open tells what is wrong with the path
  if (path.extension() != ".safetensors" && std::filesystem::is_regular_file(path, ignored)) {
    const std::string text = read_small_file(path, kLargestTable);
    if (starts_with_bracket(text))
      return std::make_shared<const TargetKeys>(parse_table(text, path.string()));
  }
  TargetKeys target;
  const Checkpoint checkpoint = Checkpoint::open(path, open);
  for (const Shard& shard : checkpoint.shards()) {
    for (const TensorInfo& tensor : shard.header().tensors()) target.keys.emplace(tensor.key);
  }
  return std::make_shared<const TargetKeys>(std::move(target));
}

TargetReport compare_with_target(const TargetKeys& target, const std::vector<std::string_view>& new_keys) {
  TargetReport report;
  const std::unordered_set<std::string_view> present(new_keys.begin(), new_keys.end());
  for (const std::string& key : target.keys) {
    if (!present.contains(key)) report.missing.push_back(key);
  }
  for (const std::string_view key : present) {
    if (!target.contains(key)) report.unexpected.emplace_back(key);
  }
  std::sort(report.missing.begin(), report.missing.end());
  std::sort(report.unexpected.begin(), report.unexpected.end());
  return report;
}

void note_target(const TargetReport& report, Console& console) {
  note_keys("missing, the target expects", report.missing, console);
  note_keys("unexpected, the target does not have", report.unexpected, console);
}

}  // namespace keyshift::tools
