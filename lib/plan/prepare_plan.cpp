#include "plan/prepare_plan.h"

#include <algorithm>
#include <utility>

#include "base/file_system.h"

namespace keyshift {

namespace {

// Up to the point where every key has its new name.
PreparedPlan rename_keys(const PlanRequest& request, const RenamingOptions& renaming) {
  PreparedPlan prepared;
  prepared.checkpoint = std::make_unique<Checkpoint>(Checkpoint::open(request.source, request.open));
  prepared.trie =
      std::make_unique<TransformTrie>(std::make_shared<const Renaming>(request.transforms, renaming));
  prepared.keys = std::make_unique<KeyTable>(
      KeyTable::rename(*prepared.checkpoint, *prepared.trie, Subset(request.subset)));
  prepared.keys->check();
  return prepared;
}

PlanOptions plan_options(const PlanRequest& request) {
  PlanOptions options = request.options;
  options.jobs = request.open.jobs;
  return options;
}

// Of the names that are written, and only if the file goes along.
void rewrite_config_of(PreparedPlan& prepared) {
  constexpr std::uint64_t kMaxConfig = 64U << 20U;  // bytes
  const std::vector<std::string>& files = prepared.plan.side_files;
  const std::string name(kConfigName);
  if (std::find(files.begin(), files.end(), name) == files.end()) {
    prepared.plan.warnings.push_back("--rewrite-config: no config.json goes along");
    return;
  }
  std::vector<RenamedTensor> tensors;
  for (const KeyTable::Row& row : prepared.keys->rows()) {
    if (!row.dropped) tensors.push_back({row.from, row.to});
  }
  const auto path = prepared.checkpoint->place().folder / name;
  std::string before = read_small_file(path, kMaxConfig);
  ConfigRewrite after = rewrite_config(before, tensors, path.string());
  prepared.plan.rewritten.push_back({name, std::move(before), std::move(after)});
}

}  // namespace

PreparedPlan prepare_plan(const PlanRequest& request) {
  PreparedPlan prepared = rename_keys(request, request.renaming);
  // --- from here the key table is fixed ---
  prepared.plan = make_plan(*prepared.keys, plan_options(request));
  // --- from here every offset is fixed ---
  if (request.rewrite_config) rewrite_config_of(prepared);
  return prepared;
}

PreparedRoundtrip prepare_roundtrip(const PlanRequest& request) {
  RenamingOptions load = request.renaming;
  load.direction = Direction::load;
  PreparedRoundtrip prepared;
  prepared.load = rename_keys(request, load);

  RenamingOptions save;
  save.direction = Direction::save;
  save.used = {UsedTransforms::Which::flagged, prepared.load.keys->used()};
  prepared.save_trie =
      std::make_unique<TransformTrie>(std::make_shared<const Renaming>(request.transforms, save));
  prepared.saved = std::make_unique<KeyTable>(prepared.load.keys->renamed_again(*prepared.save_trie));
  prepared.saved->check();
  // --- from here the key table is fixed ---
  prepared.plan = make_plan(*prepared.saved, plan_options(request));
  // --- from here every offset is fixed ---
  return prepared;
}

}  // namespace keyshift
