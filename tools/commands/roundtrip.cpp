#include "engine/roundtrip.h"

#include <fmt/format.h>

#include "base/json_writer.h"
#include "tools/command.h"
#include "tools/progress_bar.h"
#include "tools/source_options.h"
#include "tools/style.h"
#include "tools/transform_options.h"

namespace keyshift::tools {

namespace {

std::string text_of(const RoundtripResult& result, const std::string& source, const Style& style) {
  constexpr std::size_t kShown = 20;
  std::string out = result.same
                        ? style.bold(fmt::format("{} comes home byte for byte", printable(source)))
                        : style.bold(style.bad(fmt::format("{} does not come home", printable(source))));
  out += fmt::format(": {}, {}, loaded and saved again\n", counted(result.tensors, "tensor"),
                     human_bytes(result.data_bytes));
  for (const RoundtripResult::File& file : result.files) {
    out += fmt::format("  {} {}  {}{}\n", file.same ? "same     " : style.bad("different"), file.there.hex(),
                       printable(file.name), file.difference.empty() ? "" : ": " + file.difference);
  }
  for (std::size_t i = 0; i < std::min(kShown, result.changed.size()); ++i) {
    const RoundtripResult::Key& key = result.changed[i];
    out += fmt::format("  {} → {} → {}\n", printable(key.from), printable(key.loaded),
                       style.bad(printable(key.saved)));
  }
  if (result.changed.size() > kShown) {
    out += fmt::format("  … and {} more keys (--json tells all)\n", grouped(result.changed.size() - kShown));
  }
  return out;
}

std::string json_of(const RoundtripResult& result) {
  json::Writer out;
  out.begin_object().key("schema").string("keyshift-roundtrip/1").key("same").boolean(result.same);
  out.key("tensors").number(result.tensors).key("data_bytes").number(result.data_bytes);
  out.key("files").begin_array();
  for (const RoundtripResult::File& file : result.files) {
    out.begin_object().key("file").string(path_text(file.name)).key("same").boolean(file.same);
    out.key("there").string(file.there.hex()).key("written").string(file.written.hex());
    out.key("difference").string(file.difference).end_object();
  }
  out.end_array().key("changed").begin_array();
  for (const RoundtripResult::Key& key : result.changed) {
    out.begin_object().key("from").string(key.from).key("loaded").string(key.loaded);
    out.key("saved").string(key.saved).end_object();
  }
  out.end_array().key("used").begin_array();
  for (const bool flag : result.used) out.boolean(flag);
  out.end_array().end_object();
  return std::move(out.text()) + '\n';
}

class Roundtrip : public Command {
 public:
  void declare(Options& options) override {
    options.argument("SRC", "a .safetensors file, an index, a folder or a hub cache folder", source_path_);
    transforms_.declare(options, TransformOptions::Directions::both);
    source_.declare(options);
    options.heading("Output");
    options.flag("--json", "one JSON object, schema keyshift-roundtrip/1", json_);
    progress_.declare(options);
  }

  int run(Console& console) override {
    PlanRequest request;
    request.source = source_path_;
    request.open = source_.open_options();
    const GivenTransforms given = transforms_.resolve(std::nullopt, request.open);
    request.transforms = given.transforms;
    request.renaming = given.renaming;
    RoundtripResult result;
    {
      ProgressBar progress(console, progress_.shown(console));
      result = roundtrip(request, source_.jobs(), progress, console.interrupt);
    }
    warn_of_unused(given.transforms, result.used, console);
    const int code = result.same ? kDone : kAnswerIsNo;
    if (console.quiet && !json_) return code;
    return console.answer(json_ ? json_of(result) : text_of(result, source_path_, Style(console.colour)),
                          code);
  }

 private:
  std::string source_path_;
  bool json_ = false;
  TransformOptions transforms_;
  SourceOptions source_;
  ProgressOption progress_;
};

}  // namespace

namespace described {
extern const CommandInfo roundtrip{"roundtrip", "loads and saves in memory, and compares with what is there",
                                   "Renames every key as a load does, then as the save that reverses what "
                                   "the load used, and sends the bytes through\n"
                                   "the same passes as convert into digests instead of files. Exit code 1: a "
                                   "file would come out differently.\n",
                                   "  keyshift roundtrip llava-hf/ --transforms rules.json\n",
                                   [] { return std::unique_ptr<Command>(new Roundtrip); }};
}  // namespace described

}  // namespace keyshift::tools
