#include <fmt/format.h>

#include <chrono>

#include "engine/in_place.h"
#include "tools/command.h"
#include "tools/commands/conversion.h"
#include "tools/commands/convert_in_place.h"
#include "tools/progress_bar.h"

namespace keyshift::tools {

namespace {

class Convert : public Command {
 public:
  void declare(Options& options) override {
    conversion_.declare_paths(options, ConversionOptions::Destination::may_be_absent);
    options.heading("What to do");
    options.flag("--dry-run", "show the plan, as the command plan does; write nothing", dry_run_);
    options.flag("--in-place", "change the files of SRC themselves, behind a journal; there is no DST then",
                 in_place_);
    options.flag("--force", "replace a checkpoint that is at DST (never any other folder)", force_);
    options.flag("--resume",
                 "go on where the same conversion with --resume was stopped: shards that it finished are "
                 "checked and kept",
                 resume_);
    conversion_.declare(options);
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
    Conversion conversion = conversion_.make();
    conversion.request.force = force_;
    conversion.request.resume = resume_;
    conversion.request.receipt.wanted = !no_receipt_;
    if (!receipt_.empty()) conversion.request.receipt.place = receipt_;
    note_receipt_of(conversion, console);
    if (in_place_) {
      refuse_copies(conversion.request.copy);
      return in_place(conversion, console);
    }
    return dry_run_ ? show_plan(conversion, json_, console) : convert(conversion, console);
  }

 private:
  void check_usage() const {
    const std::string& destination = conversion_.destination();
    if (!in_place_ && destination.empty()) throw Error(ErrorKind::usage, "DST is missing");
    if (in_place_ && !destination.empty()) {
      throw Error(ErrorKind::usage,
                  fmt::format("--in-place changes the files of SRC themselves, so {} is one "
                              "argument too many",
                              quote(destination)));
    }
    if (no_receipt_ && !receipt_.empty())
      throw Error(ErrorKind::usage, "--receipt and --no-receipt exclude each other");
    if (in_place_ && (no_receipt_ || !receipt_.empty())) {
      throw Error(ErrorKind::usage,
                  fmt::format("with --in-place the receipt always lies beside the files; leave {} away",
                              no_receipt_ ? "--no-receipt" : "--receipt"));
    }
    if (in_place_ && resume_)
      throw Error(ErrorKind::usage,
                  "--in-place needs no --resume: `keyshift recover` finishes what was interrupted");
    if (in_place_ && force_)
      throw Error(ErrorKind::usage, "--force replaces what is at DST, and --in-place has none");
  }

  static void refuse_copies(const CopyOptions& copy) {
    if (copy.copy != CopyOptions::Copy::automatic || copy.digests != CopyOptions::Digests::automatic)
      throw Error(
          ErrorKind::usage,
          "--copy, --digests and --sha256 say how bytes are copied, and --in-place leaves them alone");
  }

  int in_place(const Conversion& conversion, Console& console) const {
    const std::string source = conversion.request.plan.source.string();
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
          json_ ? in_place_plan_json(plan, source) : in_place_plan_text(plan, source, style), kDone);
    }
    {
      ProgressBar progress(console, progress_.shown(console));
      carry_out_in_place(plan, request.jobs, progress, console.interrupt);
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    if (console.quiet && !json_) return kDone;
    try {
      return console.answer(
          json_ ? in_place_result_json(plan, source, seconds) : in_place_result_text(plan, source, style),
          kDone);
    } catch (const Error& error) {
      throw Error(ErrorKind::io, fmt::format("was converted, but its summary is lost: {}", error.message()))
          .in(source);
    }
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
          .in(conversion.request.destination.string());
    }
  }

  ConversionOptions conversion_;
  std::string receipt_;
  bool dry_run_ = false, in_place_ = false, no_receipt_ = false, force_ = false, resume_ = false,
       json_ = false;
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
