#include "tools/transform_options.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/style.h"
#include "transforms/transform_file.h"

namespace keyshift::tools {

namespace {

Error usage_error(std::string message) { return {ErrorKind::usage, std::move(message)}; }

bool same_transforms(const TransformList& a, const TransformList& b) {
  const auto text = [](const TransformList& list) {
    TransformList bare;
    bare.transforms = list.transforms;
    return write_transforms(bare);
  };
  return text(a) == text(b);
}

// A file that was named and is not there is bad input, not a failing disk.
void require_file(const std::string& file, ErrorKind kind) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) throw Error(kind, "does not exist").in(file);
}

// Takes the flags of a receipt, and its transforms if none were given.
void take_receipt(const Receipt& receipt, const std::filesystem::path& path, GivenTransforms& given) {
  if (receipt.direction != Direction::load) {
    throw Error(
        ErrorKind::receipt_invalid,
        "tells of a save; only the receipt of a load says what a save has to reverse; use --used all or "
        "--used fresh")
        .in(path.string());
  }
  if (given.transforms.transforms.empty()) {
    given.transforms = receipt.transforms;
  } else if (!same_transforms(given.transforms, receipt.transforms)) {
    throw Error(
        ErrorKind::receipt_invalid,
        "tells of other transforms than those given; leave these away to reverse the receipt's, or use "
        "--used all or --used fresh")
        .in(path.string());
  }
  given.renaming.used = {UsedTransforms::Which::flagged, receipt.used};
}

}  // namespace

std::optional<std::filesystem::path> receipt_beside(const CheckpointPlace& place) {
  return find_receipt(place.folder,
                      place.is_single_file ? std::optional(place.shard_names.front()) : std::nullopt);
}

void TransformOptions::declare(Options& options, Directions directions) {
  options.heading("Transforms (files first, then options, each in the order given)");
  options.each("--transforms", "FILE", "a transform file, schema weight-transforms/1; may be repeated",
               [this](const std::string& file) { files_.push_back(file); });
  options.each("--rename", "'SOURCE=>TARGET'",
               "a WeightRenaming: pattern and replacement, split at the last =>; may be repeated",
               [this](const std::string& text) { extra_.push_back(parse_rename_option(text)); });
  options.each("--add-prefix", "P", "puts P. before every key; may be repeated",
               [this](const std::string& text) { extra_.push_back(add_prefix_option(text)); });
  options.each("--remove-prefix", "P", "takes P. away from the start of keys; may be repeated",
               [this](const std::string& text) { extra_.push_back(remove_prefix_option(text)); });
  options.flag(
      "--strip-wrappers",
      "first of all, removes what torch.compile, DDP, FSDP and activation checkpointing leave in names",
      strip_wrappers_);
  if (directions == Directions::one_of_two) {
    options.choice("--direction", {"load", "save"},
                   "load: checkpoint names to model names (default); save: the reverse", direction_);
    options.value(
        "--used", "all|fresh|RECEIPT",
        "on save, which transforms are reversed: all; fresh: as for a model never loaded, all but "
        "PrefixChange; those that the load told of in RECEIPT had used. Default: the receipt beside the "
        "source if there is one, then also its transforms if none are given; else fresh",
        used_);
  }
  options.value(
      "--target", "TABLE",
      "on load, what the model expects: a checkpoint, or a JSON array of keys or [key, dtype, shape]. "
      "Switches on the loader's own steps and reports missing and unexpected keys",
      target_);
}

bool TransformOptions::none_given() const noexcept { return nothing_but_target() && target_.empty(); }

bool TransformOptions::nothing_but_target() const noexcept {
  return files_.empty() && extra_.empty() && !strip_wrappers_ && direction_ == "load";
}

std::shared_ptr<const TargetKeys> TransformOptions::target(const OpenOptions& open) const {
  if (target_.empty()) return nullptr;
  OpenOptions plain;  // variant and revision are the source's
  plain.jobs = open.jobs;
  return read_target(target_, plain);
}

TransformList TransformOptions::list() const {
  TransformList all;
  const auto take = [&](std::string& mine, const std::string& theirs) {
    if (mine.empty()) mine = theirs;
  };
  for (const std::string& file : files_) {
    require_file(file, ErrorKind::transform_file_invalid);
    TransformList list = read_transforms(file);
    if (all.base_model_prefix && list.base_model_prefix &&
        *all.base_model_prefix != *list.base_model_prefix) {
      throw usage_error(
          fmt::format("{} gives the base_model_prefix {}, a file before it {}; files of one model agree",
                      printable(file), quote(*list.base_model_prefix), quote(*all.base_model_prefix)));
    }
    if (list.base_model_prefix) all.base_model_prefix = list.base_model_prefix;
    take(all.model_type, list.model_type);
    take(all.model_class, list.model_class);
    take(all.generator, list.generator);
    std::move(list.transforms.begin(), list.transforms.end(), std::back_inserter(all.transforms));
  }
  all.transforms.insert(all.transforms.end(), extra_.begin(), extra_.end());
  return all;
}

void TransformOptions::choose_used(const std::optional<CheckpointPlace>& source,
                                   GivenTransforms& given) const {
  if (given.renaming.direction == Direction::load) {
    if (!used_.empty()) throw usage_error("--used is for --direction save");
    return;
  }
  if (used_ == "all" || used_ == "fresh") {
    given.renaming.used.which = used_ == "all" ? UsedTransforms::Which::all : UsedTransforms::Which::fresh;
    return;
  }
  if (!used_.empty()) {
    require_file(used_, ErrorKind::receipt_invalid);
    return take_receipt(read_receipt(used_), used_, given);
  }
  const auto beside = source ? receipt_beside(*source) : std::nullopt;
  if (!beside) return;
  take_receipt(read_receipt(*beside), *beside, given);
  given.receipt = beside;
}

GivenTransforms TransformOptions::resolve(const std::optional<CheckpointPlace>& source,
                                          const OpenOptions& open) const {
  GivenTransforms given;
  given.transforms = list();
  given.renaming.direction = direction_ == "save" ? Direction::save : Direction::load;
  given.renaming.strip_wrappers = strip_wrappers_;
  choose_used(source, given);
  if (!target_.empty()) {
    if (given.renaming.direction == Direction::save) throw usage_error("--target is for --direction load");
    given.renaming.target = target(open);
  }
  return given;
}

std::vector<std::string> unused_transforms(const TransformList& transforms, const std::vector<bool>& used) {
  std::vector<std::string> sentences;
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (used[i]) continue;
    const Transform& transform = transforms.transforms[i];
    sentences.push_back(fmt::format("transform {} ({}{}{}) matched no key", i, name(transform.type),
                                    transform.place.empty() ? "" : ", ", transform.place));
  }
  return sentences;
}

void warn_of_unused(const TransformList& transforms, const std::vector<bool>& used, Console& console) {
  for (const std::string& sentence : unused_transforms(transforms, used)) console.warn(sentence);
}

}  // namespace keyshift::tools
