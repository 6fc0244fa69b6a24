#include "compare/verify.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/json_writer.h"
#include "receipt/receipt.h"
#include "tools/command.h"
#include "tools/layout_options.h"
#include "tools/progress_bar.h"
#include "tools/source_options.h"
#include "tools/style.h"
#include "tools/transform_options.h"

namespace keyshift::tools {

namespace fs = std::filesystem;

namespace {

// What is to have been done.
struct Claim {
  GivenTransforms given;
  SubsetPatterns subset;
  bool rewrite_config = false;
};

// The keys that the conversion knew of its target: a receipt holds only their digest.
void check_target(const Receipt& receipt, const TargetKeys* target, const fs::path& receipt_path) {
  const auto fail = [&](std::string_view what) {
    throw Error(ErrorKind::usage, std::string(what)).in(receipt_path.string());
  };
  if (receipt.target && target == nullptr)
    fail("the conversion was given a --target; give the same one, for names depend on its keys");
  if (!receipt.target && target != nullptr) fail("the conversion was given no --target; leave it away");
  if (receipt.target && digest_of_target(*target) != *receipt.target)
    fail("the conversion was given a --target with other keys; give the same one");
}

// What a receipt says was done. On a save, the transforms that it reversed and that matched are all that made
// a difference.
Claim claim_of(const fs::path& receipt_path, std::shared_ptr<const TargetKeys> target) {
  Receipt receipt = read_receipt(receipt_path);
  check_target(receipt, target.get(), receipt_path);
  GivenTransforms given;
  given.transforms = std::move(receipt.transforms);
  given.renaming.direction = receipt.direction;
  given.renaming.strip_wrappers = receipt.strip_wrappers;
  given.renaming.used = {UsedTransforms::Which::flagged, std::move(receipt.used)};
  given.renaming.target = std::move(target);
  given.receipt = receipt_path;
  return {std::move(given),
          {std::move(receipt.keep_patterns), std::move(receipt.drop_patterns)},
          !receipt.rewritten.empty()};
}

std::uint64_t bytes_of(const CheckpointPlace& place) {
  std::uint64_t sum = 0;
  std::error_code ignored;
  for (const std::string& name : place.shard_names) sum += fs::file_size(place.folder / name, ignored);
  return sum;
}

std::string finding_line(const Finding& finding, const Style& style) {
  std::string out = "  " + style.bad(fmt::format("{:<10}", finding.kind));
  if (!finding.file.empty()) out += fmt::format(" {}", printable(finding.file));
  if (!finding.key.empty()) out += fmt::format(" {}", quote(finding.key));
  return fmt::format("{}: {}\n", out, finding.message);
}

std::string text_of(const VerifyResult& result, const std::string& source, const std::string& destination,
                    const Style& style) {
  constexpr std::size_t kShown = 20;
  const std::string what =
      fmt::format("{} is {} under the transforms", printable(destination), printable(source));
  const std::string compared =
      fmt::format("{}, {} and {} compared, one transform after another", counted(result.tensors, "tensor"),
                  human_bytes(result.bytes), counted(result.side_files, "side file"));
  if (result.same()) return fmt::format("{}: {}\n", style.bold("verified: " + what), compared);
  std::string out = fmt::format("{}: {} in {}\n", style.bold(style.bad("not verified")),
                                counted(result.findings.size(), "difference"), compared);
  for (std::size_t i = 0; i < std::min(kShown, result.findings.size()); ++i) {
    out += finding_line(result.findings[i], style);
  }
  if (result.findings.size() > kShown) {
    out += fmt::format("  … and {} more (--json tells all)\n", grouped(result.findings.size() - kShown));
  }
  return out;
}

std::string json_of(const VerifyResult& result) {
  json::Writer out;
  out.begin_object().key("schema").string("keyshift-verify/1").key("same").boolean(result.same());
  out.key("tensors").number(result.tensors).key("bytes").number(result.bytes);
  out.key("side_files").number(result.side_files).key("findings").begin_array();
  for (const Finding& finding : result.findings) {
    out.begin_object().key("kind").string(finding.kind).key("file").string(path_text(finding.file));
    out.key("key").string(finding.key).key("message").string(path_text(finding.message)).end_object();
  }
  out.end_array().end_object();
  return std::move(out.text()) + '\n';
}

class Verify : public Command {
 public:
  void declare(Options& options) override {
    options.argument("SRC", "the checkpoint that was converted", source_path_);
    options.argument("DST", "what it was converted to", destination_);
    options.value(
        "--receipt", "FILE",
        "the conversion's receipt, whose transforms are taken; default: the one beside DST, if no transforms "
        "are given",
        receipt_);
    options.heading("What to do");
    options.flag("--rewrite-config", "module names inside config.json should have followed", rewrite_config_);
    subset_.declare(options);
    transforms_.declare(options);
    source_.declare(options);
    options.heading("Output");
    options.flag("--json", "one JSON object, schema keyshift-verify/1", json_);
    progress_.declare(options);
  }

  int run(Console& console) override {
    const OpenOptions open = source_.open_options();
    const CheckpointPlace place = find_checkpoint(source_path_, open);
    const auto [given, subset, rewrite_config] = claim(place, open);
    if (given.receipt) {
      console.note(fmt::format("with the transforms of {}", printable(given.receipt->string())));
    }
    VerifyRequest request;
    request.source = source_path_;
    request.destination = destination_;
    request.open = open;
    request.transforms = given.transforms;
    request.renaming = given.renaming;
    request.subset = subset;
    request.rewrite_config = rewrite_config;
    request.jobs = source_.jobs();
    ProgressBar progress(console, progress_.shown(console));
    progress.begin("verifying", bytes_of(place));
    const VerifyResult result = verify(
        request, [&](std::uint64_t bytes) { progress.advance(bytes); }, console.interrupt);
    progress.end();
    const int code = result.same() ? kDone : kAnswerIsNo;
    if (console.quiet && !json_) return code;
    return console.answer(
        json_ ? json_of(result) : text_of(result, source_path_, destination_, Style(console.colour)), code);
  }

 private:
  Claim claim(const CheckpointPlace& source, const OpenOptions& open) const {
    const bool from_receipt = transforms_.nothing_but_target() && subset_.patterns().is_everything();
    if (!receipt_.empty()) {
      std::error_code ignored;
      if (!from_receipt)
        throw Error(ErrorKind::usage, "--receipt says which transforms were used; leave the others away");
      if (!fs::exists(receipt_, ignored))
        throw Error(ErrorKind::receipt_invalid, "does not exist").in(receipt_);
      return claim_of(receipt_, transforms_.target(open));
    }
    if (from_receipt) {
      OpenOptions there = open;
      there.revision.clear();
      const CheckpointPlace place = find_checkpoint(destination_, there);
      if (const auto receipt = receipt_beside(place)) return claim_of(*receipt, transforms_.target(open));
    }
    return {transforms_.resolve(source, open), subset_.patterns(), rewrite_config_};
  }

  std::string source_path_, destination_, receipt_;
  bool json_ = false, rewrite_config_ = false;
  SubsetOptions subset_;
  TransformOptions transforms_;
  SourceOptions source_;
  ProgressOption progress_;
};

}  // namespace

namespace described {
extern const CommandInfo verify{"verify", "proves that one checkpoint is another under transforms",
                                "Applies the transforms one by one, reads both checkpoints by itself and "
                                "compares names, dtypes, shapes, every "
                                "byte,\n"
                                "__metadata__, the index and side files, however the tensors are spread over "
                                "shards. Without transforms those of\n"
                                "the receipt beside DST are taken. Exit code 1: they differ, and where.\n",
                                "  keyshift verify llava-hf/ converted/ --transforms rules.json\n"
                                "  keyshift verify llava-hf/ converted/\n",
                                [] { return std::unique_ptr<Command>(new Verify); }};
}  // namespace described

}  // namespace keyshift::tools
