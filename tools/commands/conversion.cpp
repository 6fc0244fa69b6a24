#include "tools/commands/conversion.h"

#include <fmt/format.h>

namespace keyshift::tools {

namespace fs = std::filesystem;

namespace {

// Of the file system in which the destination will lie.
std::optional<std::uint64_t> free_bytes_at(const fs::path& destination) {
  std::error_code failure;
  fs::path place = fs::absolute(destination, failure);
  while (!fs::exists(place, failure) && place.has_relative_path()) place = place.parent_path();
  const fs::space_info space = fs::space(place, failure);
  if (failure) return std::nullopt;
  return space.available;
}

}  // namespace

void ConversionOptions::declare_paths(Options& options, Destination destination) {
  options.argument("SRC", "a .safetensors file, an index, a folder or a hub cache folder", source_path_);
  const std::string help = "what appears: a file if it ends in .safetensors, else a folder";
  if (destination == Destination::must_be_given) {
    options.argument("DST", help, destination_);
  } else {
    options.optional_argument("DST", help, destination_);
  }
}

void ConversionOptions::declare(Options& options) {
  options.heading("Which tensors, where and how");
  subset_.declare(options);
  layout_.declare(options);
  options.flag(
      "--rewrite-config",
      "module names inside config.json, such as those that a quantization leaves out, follow the renaming",
      rewrite_config_);
  copy_.declare(options);
  transforms_.declare(options);
  source_.declare(options);
}

Conversion ConversionOptions::make(const fs::path& source, const fs::path& destination,
                                   const std::vector<std::string>& more_transforms, unsigned jobs) const {
  OpenOptions open = source_.open_options();
  open.jobs = jobs;
  TransformOptions transforms = transforms_;
  for (const std::string& file : more_transforms) transforms.add_file(file);
  Conversion conversion;
  std::optional<CheckpointPlace> place;  // it is found again with its headers, so only where it is needed
  if (transforms.looks_beside_source()) place = find_checkpoint(source, open);
  conversion.given = transforms.resolve(place, open);
  RewriteRequest& request = conversion.request;
  request.plan.source = source;
  request.plan.open = open;
  request.plan.transforms = conversion.given.transforms;
  request.plan.renaming = conversion.given.renaming;
  request.plan.subset = subset_.patterns();
  request.plan.options = layout_.plan_options();
  request.plan.rewrite_config = rewrite_config_;
  request.copy = copy_.copy_options();
  request.destination = destination;
  request.jobs = jobs;
  return conversion;
}

void note_receipt_of(const Conversion& conversion, Console& console) {
  if (!conversion.given.receipt) return;
  console.note(fmt::format("reversing what {} says was used", printable(conversion.given.receipt->string())));
}

void warn_of_transforms(const Conversion& conversion, const std::vector<bool>& used, Console& console) {
  const PlanRequest& plan = conversion.request.plan;
  const bool something_else = plan.renaming.strip_wrappers || !plan.subset.is_everything() ||
                              plan.options.max_shard_size || plan.options.layout != Layout::keep;
  if (used.empty() && !something_else) console.warn("no transforms are given: every tensor keeps its name");
  warn_of_unused(conversion.given.transforms, used, console);
}

void note_target_of(const KeyTable& keys, const Conversion& conversion, Console& console) {
  if (!conversion.given.renaming.target) return;
  std::vector<std::string_view> new_keys;
  for (const KeyTable::Row& row : keys.rows()) {
    if (!row.dropped) new_keys.push_back(row.to);
  }
  note_target(compare_with_target(*conversion.given.renaming.target, new_keys), console);
}

int show_plan(const Conversion& conversion, bool json, Console& console) {
  const PreparedPlan prepared = plan_rewrite(conversion.request);
  const ShownPlan plan{prepared, plan_ways(conversion.request, prepared.plan),
                       free_bytes_at(conversion.request.destination)};
  warn_of(prepared.checkpoint->warnings(), console);
  warn_of(prepared.plan.warnings, console);
  warn_of_transforms(conversion, prepared.keys->used(), console);
  note_target_of(*prepared.keys, conversion, console);
  return console.answer(
      json ? plan_json(plan, conversion) : plan_text(plan, conversion, Style(console.colour)), kDone);
}

}  // namespace keyshift::tools
