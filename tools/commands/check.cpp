#include "compare/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/file_system.h"
#include "base/json_writer.h"
#include "base/parallel.h"
#include "tools/command.h"
#include "tools/progress_bar.h"
#include "tools/style.h"

namespace keyshift::tools {

namespace fs = std::filesystem;

namespace {

std::string text_of(const CheckResult& result, const std::string& manifest, const Style& style) {
  constexpr std::size_t kShown = 20;
  const std::string read =
      fmt::format("{}, {} read", counted(result.files, "file"), human_bytes(result.bytes));
  if (result.same()) return style.bold(fmt::format("as {} says", printable(manifest))) + ": " + read + '\n';
  std::string out = style.bold(style.bad(fmt::format("not as {} says", printable(manifest)))) +
                    fmt::format(": {}; {}\n", counted(result.findings.size(), "difference"), read);
  for (std::size_t i = 0; i < std::min(kShown, result.findings.size()); ++i) {
    const CheckFinding& finding = result.findings[i];
    out += fmt::format("  {} {}{}{}\n", style.bad(fmt::format("{:<8}", finding.kind)),
                       printable(finding.file), finding.file.empty() ? "" : ": ", finding.message);
  }
  if (result.findings.size() > kShown)
    out += fmt::format("  … and {} more (--json tells all)\n", grouped(result.findings.size() - kShown));
  return out;
}

std::string json_of(const CheckResult& result) {
  json::Writer out;
  out.begin_object().key("schema").string("keyshift-check/1").key("same").boolean(result.same());
  out.key("files").number(result.files).key("bytes").number(result.bytes).key("findings").begin_array();
  for (const CheckFinding& finding : result.findings) {
    out.begin_object().key("kind").string(finding.kind).key("file").string(path_text(finding.file));
    out.key("message").string(path_text(finding.message)).end_object();
  }
  out.end_array().end_object();
  return std::move(out.text()) + '\n';
}

class CheckCommand : public Command {
 public:
  void declare(Options& options) override {
    options.argument(
        "MANIFEST",
        "lines of xxhsum or sha256sum, the JSON of digest, a receipt, an in-toto statement or a bundle "
        "around one; or a hub cache folder, whose blobs are named by their digests",
        manifest_);
    options.optional_argument("DIR", "where the files are; default: the working folder", folder_);
    options.heading("What to check");
    options.flag(
        "--tensors",
        "tensors instead of files, whatever their names, shards and headers (a manifest of digest --json)",
        tensors_);
    options.flag("--allow-extra",
                 "files of the checkpoint in DIR that the manifest does not list are no difference",
                 allow_extra_);
    options.number("--jobs", "N", "files at a time; default: one for each processor", 1, jobs_);
    options.heading("Output");
    options.flag("--json", "one JSON object, schema keyshift-check/1", json_);
    progress_.declare(options);
  }

  int run(Console& console) override {
    CheckRequest request;
    request.folder = folder_.empty() ? fs::path(".") : fs::path(folder_);
    request.report_extra = !allow_extra_;
    request.jobs = jobs_ != 0 ? jobs_ : available_processors();
    std::vector<CheckFinding> missing;
    const Manifest manifest = read(request, missing, console);
    const CheckResult result = check(manifest, request, std::move(missing), console);
    const int code = result.same() ? kDone : kAnswerIsNo;
    if (console.quiet && !json_) return code;
    return console.answer(json_ ? json_of(result) : text_of(result, manifest_, Style(console.colour)), code);
  }

 private:
  Manifest read(CheckRequest& request, std::vector<CheckFinding>& missing, Console& console) const {
    std::error_code ignored;
    if (fs::is_directory(manifest_, ignored)) {
      if (!folder_.empty() || tensors_)
        throw Error(ErrorKind::usage, "a hub cache folder is checked as it is, without DIR and --tensors");
      return hub_cache_manifest(manifest_, request.folder, missing);
    }
    if (!fs::exists(manifest_, ignored))
      throw Error(ErrorKind::manifest_invalid, "does not exist").in(manifest_);
    if (!fs::is_directory(request.folder, ignored))
      throw Error(ErrorKind::usage, "is no folder; DIR is where the manifest's files are").in(folder_);
    constexpr std::uint64_t kLimit = std::uint64_t{1} << 30U;  // bytes
    request.manifest = manifest_;
    const Manifest manifest = parse_manifest(read_small_file(manifest_, kLimit), manifest_);
    if (manifest.is_signed)
      console.warn("the signature of the bundle is not verified, only the files that it lists");
    if (manifest.without > 0) {
      console.warn(fmt::format("the receipt holds no digest of {}: only {} checked",
                               counted(manifest.without, "file"),
                               manifest.without == 1 ? "its size is" : "their sizes are"));
    }
    return manifest;
  }

  CheckResult check(const Manifest& manifest, const CheckRequest& request, std::vector<CheckFinding> missing,
                    Console& console) const {
    ProgressBar progress(console, progress_.shown(console));
    const auto begin = [&](std::uint64_t bytes) { progress.begin("checking", bytes); };
    const auto advance = [&](std::uint64_t bytes) { progress.advance(bytes); };
    CheckResult result = tensors_ ? check_tensors(manifest, request, begin, advance, console.interrupt)
                                  : check_files(manifest, request, begin, advance, console.interrupt);
    progress.end();
    result.findings.insert(result.findings.begin(), missing.begin(), missing.end());
    return result;
  }

  std::string manifest_, folder_;
  bool tensors_ = false, allow_extra_ = false, json_ = false;
  unsigned jobs_ = 0;
  ProgressOption progress_;
};

}  // namespace

namespace described {
extern const CommandInfo check{"check", "holds files against a list of their digests",
                               "Exit code 1: a file differs, is missing, or is there and not in the list. "
                               "Names in a manifest never lead out of\n"
                               "DIR. Signatures are not verified.\n",
                               "  keyshift check model.xxh128 model/\n"
                               "  keyshift check converted/keyshift-receipt.json converted/\n"
                               "  keyshift check old.json converted/ --tensors\n"
                               "  keyshift check ~/.cache/huggingface/hub/models--ORG--NAME\n",
                               [] { return std::unique_ptr<Command>(new CheckCommand); }};
}  // namespace described

}  // namespace keyshift::tools
