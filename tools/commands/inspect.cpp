#include "tools/commands/inspect.h"

#include <fmt/format.h>

#include "tools/source_options.h"

namespace keyshift::tools {

namespace {

class Inspect : public Command {
 public:
  void declare(Options& options) override {
    options.argument("PATH", "a .safetensors file, an index, a folder or a hub cache folder", path_);
    options.heading("Output");
    options.flag("--keys",
                 "every key on a line of its own: key, dtype, shape, bytes, shard, with tabs between", keys_);
    options.flag("--json", "one JSON object, schema keyshift-inspect/1", json_);
    source_.declare(options);
  }

  int run(Console& console) override {
    if (keys_ && json_) throw Error(ErrorKind::usage, "--keys and --json cannot be had together");
    const Checkpoint checkpoint = Checkpoint::open(path_, source_.open_options());
    warn_of(checkpoint.warnings(), console);
    if (json_) return console.answer(inspect_json(checkpoint), kDone);
    if (keys_) return console.answer(inspect_keys(checkpoint), kDone);
    return console.answer(inspect_text(checkpoint, Style(console.colour)), kDone);
  }

 private:
  std::string path_;
  bool keys_ = false, json_ = false;
  SourceOptions source_;
};

}  // namespace

namespace described {
extern const CommandInfo inspect{
    "inspect", "shows shards, tensors, dtypes, sizes and metadata of a checkpoint",
    "Reads headers only, so that a terabyte takes no longer than its names. Keys are folded by number:\n"
    "layers.{0..31} stands for 32 subtrees that agree in all names, dtypes and shapes; {0..2,5} has a gap;\n"
    "counts and sizes are those of all of them together.\n",
    "  keyshift inspect model.safetensors\n"
    "  keyshift inspect ~/.cache/huggingface/hub/models--openai-community--gpt2\n"
    "  keyshift inspect --keys DIR | cut -f1 | keyshift rename --add-prefix model\n",
    [] { return std::unique_ptr<Command>(new Inspect); }};
}  // namespace described

}  // namespace keyshift::tools
