#include "tools/commands/convert.h"

#include <fmt/format.h>

#include <chrono>

#include "engine/in_place.h"
#include "tools/command.h"
#include "tools/commands/convert_in_place.h"
#include "tools/layout_options.h"
#include "tools/progress_bar.h"
#include "tools/source_options.h"

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

class Convert : public Command {
 public:
  void declare(Options& options) override {
    options.argument("SRC", "a .safetensors file, an index, a folder or a hub cache folder", source_path_);
    options.optional_argument("DST", "what appears: a file if it ends in .safetensors, else a folder",
                              destination_);
    options.heading("What to do");
    options.flag("--dry-run", "show the plan: headers, how bytes move, space needed; write nothing",
                 dry_run_);
    options.flag("--in-place", "change the files of SRC themselves, behind a journal; there is no DST then",
                 in_place_);
    options.flag("--force", "replace a checkpoint that is at DST (never any other folder)", force_);
    subset_.declare(options);
    layout_.declare(options);
    transforms_.declare(options);
    source_.declare(options);
    options.heading("Output");
    options.value("--receipt", "FILE", "where the receipt goes; default: into DST, or beside a single file",
                  receipt_);
    options.flag("--no-receipt", "write no receipt: nobody can then take the conversion back byte for byte",
                 no_receipt_);
    options.flag("--json", "one JSON object, schema keyshift-convert/1 (with --dry-run: keyshift-plan/1)",
                 json_);
    progress_.declare(options);
  }

  int run(Console& console) override {
    check_usage();
    const Conversion conversion = make();
    if (conversion.given.receipt) {
      console.note(
          fmt::format("reversing what {} says was used", printable(conversion.given.receipt->string())));
    }
    if (in_place_) return in_place(conversion, console);
    return dry_run_ ? show_plan(conversion, console) : convert(conversion, console);
  }

 private:
  void check_usage() const {
    if (!in_place_ && destination_.empty()) throw Error(ErrorKind::usage, "DST is missing");
    if (in_place_ && !destination_.empty()) {
      throw Error(ErrorKind::usage,
                  fmt::format("--in-place changes the files of SRC themselves, so {} is one "
                              "argument too many",
                              quote(destination_)));
    }
    if (no_receipt_ && !receipt_.empty())
      throw Error(ErrorKind::usage, "--receipt and --no-receipt exclude each other");
    if (in_place_ && (no_receipt_ || !receipt_.empty())) {
      throw Error(ErrorKind::usage,
                  fmt::format("with --in-place the receipt always lies beside the files; leave {} away",
                              no_receipt_ ? "--no-receipt" : "--receipt"));
    }
    if (in_place_ && force_)
      throw Error(ErrorKind::usage, "--force replaces what is at DST, and --in-place has none");
  }

  int in_place(const Conversion& conversion, Console& console) const {
    const InPlaceRequest request{conversion.request.plan, conversion.request.jobs};
    const auto began = std::chrono::steady_clock::now();
    const auto tell = [&](const InPlacePlan& plan) {
      warn_of(plan.prepared.checkpoint->warnings(), console);
      warn_of_transforms(conversion, plan.used, console);
    };
    InPlacePlan plan = plan_in_place(request);
    tell(plan);
    note_target_of(*plan.prepared.keys, conversion, console);
    const Style style(console.colour);
    if (dry_run_) {
      return console.answer(
          json_ ? in_place_plan_json(plan, source_path_) : in_place_plan_text(plan, source_path_, style),
          kDone);
    }
    {
      ProgressBar progress(console, progress_.shown(console));
      carry_out_in_place(plan, request.jobs, progress, console.interrupt);
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    if (console.quiet && !json_) return kDone;
    try {
      return console.answer(json_ ? in_place_result_json(plan, source_path_, seconds)
                                  : in_place_result_text(plan, source_path_, style),
                            kDone);
    } catch (const Error& error) {
      throw Error(ErrorKind::io, fmt::format("was converted, but its summary is lost: {}", error.message()))
          .in(source_path_);
    }
  }

  Conversion make() const {
    const OpenOptions open = source_.open_options();
    Conversion conversion;
    conversion.given = transforms_.resolve(find_checkpoint(source_path_, open), open);
    RewriteRequest& request = conversion.request;
    request.plan.source = source_path_;
    request.plan.open = open;
    request.plan.transforms = conversion.given.transforms;
    request.plan.renaming = conversion.given.renaming;
    request.plan.subset = subset_.patterns();
    request.plan.options = layout_.plan_options();
    request.destination = destination_;
    request.jobs = source_.jobs();
    request.force = force_;
    request.receipt.wanted = !no_receipt_;
    if (!receipt_.empty()) request.receipt.place = receipt_;
    return conversion;
  }

  int show_plan(const Conversion& conversion, Console& console) const {
    const PreparedPlan prepared = plan_rewrite(conversion.request);
    warn_of(prepared.checkpoint->warnings(), console);
    warn_of(prepared.plan.warnings, console);
    warn_of_transforms(conversion, prepared.keys->used(), console);
    note_target_of(*prepared.keys, conversion, console);
    const auto free_bytes = free_bytes_at(destination_);
    return console.answer(json_ ? plan_json(prepared, conversion, free_bytes)
                                : plan_text(prepared, conversion, free_bytes, Style(console.colour)),
                          kDone);
  }

  int convert(const Conversion& conversion, Console& console) const {
    if (conversion.given.renaming.target)
      note_target_of(*plan_rewrite(conversion.request).keys, conversion, console);
    const auto began = std::chrono::steady_clock::now();
    RewriteResult result;
    {
      ProgressBar progress(console, progress_.shown(console));
      result = rewrite(conversion.request, progress, console.interrupt);
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    warn_of(result.warnings, console);
    warn_of_transforms(conversion, result.used, console);
    if (console.quiet && !json_) return kDone;
    try {
      return console.answer(json_ ? result_json(result, conversion, seconds)
                                  : result_text(result, conversion, seconds, Style(console.colour)),
                            kDone);
    } catch (const Error& error) {
      throw Error(ErrorKind::io, fmt::format("was published, but its summary is lost: {}", error.message()))
          .in(destination_);
    }
  }

  static void warn_of_transforms(const Conversion& conversion, const std::vector<bool>& used,
                                 Console& console) {
    const PlanRequest& plan = conversion.request.plan;
    const bool something_else = plan.renaming.strip_wrappers || !plan.subset.is_everything() ||
                                plan.options.max_shard_size || plan.options.layout != Layout::keep;
    if (used.empty() && !something_else) console.warn("no transforms are given: every tensor keeps its name");
    warn_of_unused(conversion.given.transforms, used, console);
  }

  static void note_target_of(const KeyTable& keys, const Conversion& conversion, Console& console) {
    if (!conversion.given.renaming.target) return;
    std::vector<std::string_view> new_keys;
    for (const KeyTable::Row& row : keys.rows()) {
      if (!row.dropped) new_keys.push_back(row.to);
    }
    note_target(compare_with_target(*conversion.given.renaming.target, new_keys), console);
  }

  std::string source_path_, destination_, receipt_;
  bool dry_run_ = false, in_place_ = false, no_receipt_ = false, force_ = false, json_ = false;
  SubsetOptions subset_;
  LayoutOptions layout_;
  TransformOptions transforms_;
  SourceOptions source_;
  ProgressOption progress_;
};

}  // namespace

namespace described {
extern const CommandInfo convert{
    "convert", "writes a checkpoint with renamed tensors",
    "Every shard keeps its tensors and their order, byte for byte; only names change, in headers and index, "
    "unless\n"
    "--layout, --max-shard-size, --keep or --drop say otherwise. A sharded source becomes one file where DST "
    "names one.\n"
    "Side files (config, tokenizer) go along. All of it appears at DST at once, or nothing does. A receipt "
    "with a\n"
    "digest of every tensor is written beside it. With --in-place the files of SRC themselves change: only "
    "headers and\n"
    "index are written where the file system allows that, behind a journal; `keyshift recover` finishes what "
    "was\n"
    "interrupted.\n",
    "  keyshift convert llava-hf/ converted/ --transforms rules.json\n"
    "  keyshift convert model.safetensors bare.safetensors --remove-prefix model\n"
    "  keyshift convert converted/ back/ --direction save\n"
    "  keyshift convert llava-hf/ text.safetensors --keep '^language_model' --remove-prefix language_model\n"
    "  keyshift convert big/ small/ --max-shard-size 5GB --layout canonical\n"
    "  keyshift convert SRC DST --transforms rules.json --dry-run\n"
    "  keyshift convert --in-place llava-hf/ --transforms rules.json\n",
    [] { return std::unique_ptr<Command>(new Convert); }};
}  // namespace described

}  // namespace keyshift::tools
