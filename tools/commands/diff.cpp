#include "tools/commands/diff.h"

#include "tools/command.h"
#include "tools/progress_bar.h"
#include "tools/source_options.h"
#include "tools/transform_options.h"

namespace keyshift::tools {

namespace {

class DiffCommand : public Command {
 public:
  void declare(Options& options) override {
    options.argument("A", "a checkpoint", a_);
    options.argument("B", "the one that it is held against", b_);
    transforms_.declare(options);
    source_.declare(options);
    options.heading("Output");
    options.flag("--json", "one JSON object, schema keyshift-diff/1", json_);
    progress_.declare(options);
  }

  int run(Console& console) override {
    const OpenOptions open = source_.open_options();
    const GivenTransforms given = transforms_.resolve(find_checkpoint(a_, open), open);
    DiffRequest request{a_, b_, open, given.transforms, given.renaming, source_.jobs()};
    ProgressBar progress(console, progress_.shown(console));
    const Diff result = diff(
        request, [&](std::uint64_t total) { progress.begin("comparing", total); },
        [&](std::uint64_t bytes) { progress.advance(bytes); }, console.interrupt);
    progress.end();
    const int code = result.same() ? kDone : kAnswerIsNo;
    if (console.quiet && !json_) return code;
    return console.answer(json_ ? diff_json(result) : diff_text(result, a_, b_, Style(console.colour)), code);
  }

 private:
  std::string a_, b_;
  bool json_ = false;
  TransformOptions transforms_;
  SourceOptions source_;
  ProgressOption progress_;
};

}  // namespace

namespace described {
extern const CommandInfo diff{"diff", "compares two checkpoints by content",
                              "Tells which tensors are the same, only have another name (the same bytes, "
                              "dtype and shape), lie in another\n"
                              "shard, have changed (how many bytes, and where the first is), are missing or "
                              "extra; then what differs in\n"
                              "__metadata__ and index. With transforms, A's names go through them first. "
                              "Side files are not looked at.\n"
                              "Exit code 1: they differ.\n",
                              "  keyshift diff before/ after/\n"
                              "  keyshift diff llava-hf/ converted/ --transforms rules.json\n"
                              "  keyshift diff a.safetensors b.safetensors --json\n",
                              [] { return std::unique_ptr<Command>(new DiffCommand); }};
}  // namespace described

}  // namespace keyshift::tools
