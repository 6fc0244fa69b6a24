#include "compare/infer.h"

#include <fmt/format.h>

#include "base/file_system.h"
#include "base/json_writer.h"
#include "base/output_stream.h"
#include "tools/command.h"
#include "tools/progress_bar.h"
#include "tools/source_options.h"
#include "tools/style.h"
#include "transforms/transform_file.h"

namespace keyshift::tools {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kShown = 20;

std::string sentence(const Unexplained& tensor) {
  switch (tensor.why) {
    case Unexplained::Why::missing:
      return fmt::format("{} of A: B has no tensor with its bytes", quote(tensor.a));
    case Unexplained::Why::extra:
      return fmt::format("{} of B: A has no tensor with its bytes", quote(tensor.b));
    case Unexplained::Why::name:
      return fmt::format("{} is {} in B, the transforms make {} of it", quote(tensor.a), quote(tensor.b),
                         quote(tensor.becomes));
  }
  return "";
}

std::string_view name(Unexplained::Why why) {
  switch (why) {
    case Unexplained::Why::missing:
      return "missing";
    case Unexplained::Why::extra:
      return "extra";
    case Unexplained::Why::name:
      return "name";
  }
  return "";
}

std::string json_of(const Inferred& inferred) {
  json::Writer out;
  out.begin_object().key("schema").string("keyshift-infer/1").key("complete").boolean(inferred.complete());
  out.key("tensors").number(inferred.tensors).key("renamed").number(inferred.renamed);
  const json::Node file = json::parse(write_transforms(inferred.transforms), {});
  out.key("transforms").node(*file.find("transforms")).key("unexplained").begin_array();
  for (const Unexplained& tensor : inferred.unexplained) {
    out.begin_object().key("why").string(name(tensor.why));
    if (!tensor.a.empty()) out.key("a").string(tensor.a);
    if (!tensor.b.empty()) out.key("b").string(tensor.b);
    if (tensor.why == Unexplained::Why::name) out.key("becomes").string(tensor.becomes);
    out.end_object();
  }
  out.end_array().end_object();
  return std::move(out.text()) + '\n';
}

class Infer : public Command {
 public:
  void declare(Options& options) override {
    options.argument("A", "the checkpoint with the old names", a_);
    options.argument("B", "the one with the new names", b_);
    source_.declare(options);
    options.heading("Output");
    options.value("-o,--output", "FILE", "where the transform file goes; default: standard output", output_);
    options.flag("--json", "one JSON object, schema keyshift-infer/1, on standard output", json_);
    progress_.declare(options);
  }

  int run(Console& console) override {
    refuse_existing();
    ProgressBar progress(console, progress_.shown(console));
    const Inferred inferred = infer_transforms(
        {a_, b_, source_.open_options(), source_.jobs()},
        [&](std::uint64_t total) { progress.begin("matching", total); },
        [&](std::uint64_t bytes) { progress.advance(bytes); }, console.interrupt);
    progress.end();
    const std::string file = write_transforms(inferred.transforms);
    if (!output_.empty()) write_file(file);
    tell(inferred, console);
    const int code = inferred.complete() ? kDone : kAnswerIsNo;
    if (json_) return console.answer(json_of(inferred), code);
    return output_.empty() ? console.answer(file, code) : code;
  }

 private:
  void refuse_existing() const {
    std::error_code ignored;
    if (!output_.empty() && fs::exists(fs::symlink_status(output_, ignored)))
      throw Error(ErrorKind::usage, "exists; choose another name").in(output_);
  }

  void write_file(const std::string& text) const {
    OutputStream out = OutputStream::to_file(output_, {.write_call = {}});
    out.write(text);
    out.finish();
  }

  void tell(const Inferred& inferred, Console& console) const {
    console.note(fmt::format("{} of {} explained by {}{}",
                             counted(inferred.tensors - wrong_names(inferred), "tensor"),
                             grouped(inferred.tensors + missing(inferred)),
                             counted(inferred.transforms.transforms.size(), "transform"),
                             output_.empty() ? "" : fmt::format(" in {}", printable(output_))));
    for (std::size_t i = 0; i < std::min(kShown, inferred.unexplained.size()); ++i)
      console.warn(sentence(inferred.unexplained[i]));
    if (inferred.unexplained.size() > kShown)
      console.warn(
          fmt::format("and {} more (--json tells all)", grouped(inferred.unexplained.size() - kShown)));
  }

  static std::uint64_t count(const Inferred& inferred, Unexplained::Why why) {
    std::uint64_t sum = 0;
    for (const Unexplained& tensor : inferred.unexplained) sum += tensor.why == why ? 1 : 0;
    return sum;
  }
  static std::uint64_t wrong_names(const Inferred& i) { return count(i, Unexplained::Why::name); }
  static std::uint64_t missing(const Inferred& i) { return count(i, Unexplained::Why::missing); }

  std::string a_, b_, output_;
  bool json_ = false;
  SourceOptions source_;
  ProgressOption progress_;
};

}  // namespace

namespace described {
extern const CommandInfo infer{
    "infer", "finds the transforms that lead from one checkpoint's names to another's",
    "Matches tensors by dtype, shape and bytes, looks for a short list of transforms that gives each the "
    "name it\n"
    "has in B, and writes it as a transform file; convert and verify prove it. What no transform explains "
    "is\n"
    "listed. Exit code 1: something is left unexplained; the transforms hold for the rest.\n",
    "  keyshift infer old/ new/ -o rules.json && keyshift verify old/ new/ --transforms rules.json\n"
    "  keyshift infer old.safetensors new.safetensors --json\n",
    [] { return std::unique_ptr<Command>(new Infer); }};
}  // namespace described

}  // namespace keyshift::tools
