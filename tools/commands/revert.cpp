#include "engine/revert.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/json_writer.h"
#include "engine/revert_in_place.h"
#include "tools/command.h"
#include "tools/progress_bar.h"
#include "tools/source_options.h"
#include "tools/style.h"

namespace keyshift::tools {

namespace {

std::string line(std::string_view name, const std::string& text) {
  return fmt::format("  {:<12}{}\n", name, text);
}

template <class Result>
std::string proof_of(const Result& result) {
  if (result.digests == DigestsHeld::all) return "every tensor, header, index and side file, by its digest";
  if (result.digests == DigestsHeld::none)
    return "headers, sizes and side files; the receipt holds no digest of a tensor, so their bytes are not "
           "proven";
  return fmt::format(
      "headers, sizes and side files; the receipt holds the digests of {} of {} tensors, so the bytes "
      "of the others are not proven",
      grouped(result.proven), grouped(result.tensors));
}

std::string text_of(const RevertResult& result, const RevertRequest& request, double seconds,
                    const Style& style) {
  const auto rate =
      static_cast<std::uint64_t>(static_cast<double>(result.data_bytes) / std::max(seconds, 1e-9));
  std::string out = style.bold(fmt::format("reverted {} → {}", printable(request.source.string()),
                                           printable(request.destination.string()))) +
                    '\n';
  out += line("shards",
              fmt::format("{} with {}, {} in {} ({}/s)", grouped(result.shards.size()),
                          counted(result.tensors, "tensor"), style.size(human_bytes(result.data_bytes)),
                          human_seconds(seconds), human_bytes(rate)));
  out += line("proven", proof_of(result));
  std::vector<std::string> others;
  for (const auto& file : result.others) others.push_back(printable(file.name));
  out += line("with them", others.empty() ? "no other files" : fmt::format("{}", fmt::join(others, ", ")));
  return out + line("receipt", printable(result.receipt.string()));
}

void write_files(json::Writer& out, std::string_view name, const std::vector<RevertResult::File>& files) {
  out.key(name).begin_array();
  for (const auto& file : files) {
    out.begin_object().key("file").string(path_text(file.name)).key("size").number(file.written.size);
    out.key("xxh3_128").string(file.written.digest.hex()).end_object();
  }
  out.end_array();
}

std::string_view name_of(DigestsHeld held) {
  if (held == DigestsHeld::all) return "all";
  return held == DigestsHeld::some ? "some" : "none";
}

std::string json_of(const RevertResult& result, const RevertRequest& request, double seconds) {
  json::Writer out;
  out.begin_object().key("schema").string("keyshift-revert/1").key("in_place").boolean(false);
  out.key("source")
      .string(path_text(request.source))
      .key("destination")
      .string(path_text(request.destination));
  out.key("receipt").string(path_text(result.receipt));
  write_files(out, "shards", result.shards);
  write_files(out, "others", result.others);
  out.key("tensors").number(result.tensors).key("digests").string(name_of(result.digests));
  out.key("proven").number(result.proven).key("data_bytes").number(result.data_bytes);
  out.key("seconds").number(seconds).end_object();
  return std::move(out.text()) + '\n';
}

std::string in_place_text(const RevertInPlaceResult& result, const std::string& path, const Style& style) {
  const auto changed = static_cast<std::uint64_t>(std::count_if(
      result.shards.begin(), result.shards.end(), [](const auto& shard) { return shard.way.has_value(); }));
  std::string out = style.bold(fmt::format("reverted {} in place", printable(path))) + '\n';
  out +=
      line("headers", fmt::format("{} of {} written, {}", grouped(changed),
                                  counted(result.shards.size(), "shard"), counted(result.tensors, "tensor")));
  out += line("proven", proof_of(result));
  for (const auto& [what, names] :
       {std::pair("written", &result.written), std::pair("removed", &result.removed)}) {
    std::vector<std::string> shown;
    for (const std::string& name : *names) shown.push_back(printable(name));
    if (!shown.empty()) out += line(what, fmt::format("{}", fmt::join(shown, ", ")));
  }
  return out;
}

std::string in_place_json(const RevertInPlaceResult& result, const std::string& path, double seconds) {
  json::Writer out;
  out.begin_object().key("schema").string("keyshift-revert/1").key("in_place").boolean(true);
  out.key("source").string(path_text(path)).key("receipt").string(path_text(result.receipt));
  out.key("shards").begin_array();
  for (const auto& shard : result.shards) {
    out.begin_object().key("file").string(path_text(shard.name)).key("size").number(shard.size);
    out.key("way").string(shard.way ? name(*shard.way) : "none").end_object();
  }
  out.end_array();
  for (const auto& [what, names] :
       {std::pair("written", &result.written), std::pair("removed", &result.removed)}) {
    out.key(what).begin_array();
    for (const std::string& name : *names) out.string(path_text(name));
    out.end_array();
  }
  out.key("tensors").number(result.tensors).key("digests").string(name_of(result.digests));
  out.key("proven").number(result.proven).key("seconds").number(seconds).end_object();
  return std::move(out.text()) + '\n';
}

class RevertCommand : public Command {
 public:
  void declare(Options& options) override {
    options.argument("DST", "what a conversion wrote: a file, an index, a folder or a hub cache folder",
                     source_);
    options.optional_argument(
        "OUT", "where the original appears: a file if it ends in .safetensors, else a folder", destination_);
    options.heading("What to do");
    options.flag("--in-place", "change the files of DST themselves, behind a journal; there is no OUT then",
                 in_place_);
    options.value("--receipt", "FILE", "the conversion's receipt; default: the one that lies beside DST",
                  receipt_);
    options.flag("--force", "replace a checkpoint that is at OUT (never any other folder)", force_);
    which_.declare(options);
    options.heading("Output");
    options.flag("--json", "one JSON object, schema keyshift-revert/1", json_);
    progress_.declare(options);
  }

  int run(Console& console) override {
    if (!in_place_ && destination_.empty()) throw Error(ErrorKind::usage, "OUT is missing");
    if (in_place_ && (force_ || !destination_.empty())) {
      throw Error(ErrorKind::usage,
                  fmt::format("--in-place changes the files of DST themselves, so {} is too much",
                              force_ ? "--force" : quote(destination_)));
    }
    return in_place_ ? revert_there(console) : revert_elsewhere(console);
  }

 private:
  int revert_there(Console& console) const {
    RevertInPlaceRequest request;
    request.path = source_;
    if (!receipt_.empty()) request.receipt = receipt_;
    request.open = which_.open_options();
    request.jobs = which_.jobs();
    const auto began = std::chrono::steady_clock::now();
    RevertInPlaceResult result;
    {
      ProgressBar progress(console, progress_.shown(console));
      result = revert_in_place(request, progress, console.interrupt);
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    warn_of(result.warnings, console);
    if (console.quiet && !json_) return kDone;
    return console.answer(json_ ? in_place_json(result, source_, seconds)
                                : in_place_text(result, source_, Style(console.colour)),
                          kDone);
  }

  int revert_elsewhere(Console& console) const {
    RevertRequest request;
    request.source = source_;
    if (!receipt_.empty()) request.receipt = receipt_;
    request.open = which_.open_options();
    request.destination = destination_;
    request.jobs = which_.jobs();
    request.force = force_;
    const auto began = std::chrono::steady_clock::now();
    RevertResult result;
    {
      ProgressBar progress(console, progress_.shown(console));
      result = revert(request, progress, console.interrupt);
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    warn_of(result.warnings, console);
    if (console.quiet && !json_) return kDone;
    return console.answer(
        json_ ? json_of(result, request, seconds) : text_of(result, request, seconds, Style(console.colour)),
        kDone);
  }

  std::string source_, destination_, receipt_;
  bool in_place_ = false, force_ = false, json_ = false;
  SourceOptions which_;
  ProgressOption progress_;
};

}  // namespace

namespace described {
extern const CommandInfo revert{
    "revert", "undoes a conversion: the original files, byte for byte",
    "With the conversion's receipt: header text, key order, padding, __metadata__, index, the split into "
    "shards, side\n"
    "files, and the receipt that lay there, so that a chain of conversions is undone step by step. All of it "
    "is held\n"
    "against the receipt's digests before it appears at OUT; what the receipt holds no digest of is named. "
    "With\n"
    "--in-place the files of DST become the original ones again, where no tensor was moved.\n",
    "  keyshift revert converted/ original/\n"
    "  keyshift revert bare.safetensors model.safetensors\n"
    "  keyshift revert --in-place converted/\n",
    [] { return std::unique_ptr<Command>(new RevertCommand); }};
}  // namespace described

}  // namespace keyshift::tools
