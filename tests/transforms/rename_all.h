// Short forms for tests: rules as the text of a transform file, keys in, keys out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "transforms/renaming.h"
#include "transforms/transform_file.h"

namespace keyshift::test {

using Keys = std::vector<std::string>;

inline TransformList rules(std::string_view json) { return parse_transforms(json, "rules.json"); }

/// The new names of `keys`, in the order given.
inline Keys rename_all(const TransformList& list, const RenamingOptions& options, const Keys& keys) {
  const Renaming renaming(list, options);
  PlainRun run(renaming);
  Keys out;
  for (const auto& key : keys) out.push_back(run.rename(key));
  return out;
}

inline Keys load(std::string_view json, const Keys& keys) { return rename_all(rules(json), {}, keys); }

inline Keys save(std::string_view json, const Keys& keys) {
  RenamingOptions options;
  options.direction = Direction::save;
  options.used.which = UsedTransforms::Which::all;
  return rename_all(rules(json), options, keys);
}

/// One WeightRenaming of one source and one target.
inline TransformList renaming_of(std::string source, std::string target) {
  TransformList list;
  list.transforms.emplace_back();
  list.transforms.back().source_patterns = {std::move(source)};
  list.transforms.back().target_patterns = {std::move(target)};
  list.transforms.back().place = "here";
  return list;
}

inline std::string load_one(std::string source, std::string target, std::string key) {
  return rename_all(renaming_of(std::move(source), std::move(target)), {}, {std::move(key)}).front();
}

}  // namespace keyshift::test
