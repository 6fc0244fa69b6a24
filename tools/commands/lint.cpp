#include "tools/commands/lint.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file_system.h"
#include "format/checkpoint.h"
#include "tools/commands/rename.h"
#include "tools/source_options.h"
#include "tools/transform_options.h"

namespace keyshift::tools {

namespace {

constexpr std::uint64_t kLargestKeyFile = 1U << 30U;  // bytes

class LintCommand : public Command {
 public:
  void declare(Options& options) override {
    options.optional_argument(
        "PATH",
        "a checkpoint: index and shards are looked at, and its keys are what the transforms are tried with",
        path_);
    options.value("--keys", "FILE", "the keys to try, one a line, in the place of a checkpoint's",
                  keys_file_);
    options.heading("Output");
    options.flag("--json", "one JSON object, schema keyshift-lint/1", json_);
    transforms_.declare(options);
    source_.declare(options);
  }

  int run(Console& console) override {
    if (!path_.empty() && !keys_file_.empty()) {
      throw Error(ErrorKind::usage, "PATH and --keys cannot be had together: both say which keys there are");
    }
    const OpenOptions open = source_.open_options();
    std::optional<LintedCheckpoint> checkpoint;
    if (!path_.empty()) checkpoint = lint_checkpoint(path_, open);
    if (!checkpoint && transforms_.none_given()) {
      throw Error(ErrorKind::usage, "there is nothing to look at: give transforms, a checkpoint, or both");
    }
    const GivenTransforms given =
        transforms_.resolve(checkpoint ? std::optional(checkpoint->place) : std::nullopt, open);
    LintAnswer answer{given.transforms, given.renaming.direction, false, 0, false, {}, path_, {}};
    if (checkpoint) answer.checkpoint = checkpoint->findings;
    look_at_names(checkpoint, given, answer, console);
    const int code = answer.clean() ? kDone : kAnswerIsNo;
    return console.answer(json_ ? lint_json(answer) : lint_text(answer, Style(console.colour)), code);
  }

 private:
  void look_at_names(const std::optional<LintedCheckpoint>& checkpoint, const GivenTransforms& given,
                     LintAnswer& answer, Console& console) const {
    KeyList file;
    std::vector<std::string> made;
    std::vector<std::string_view> keys;
    if (checkpoint) {
      for (const Shard& shard : checkpoint->shards) {
        for (const TensorInfo& tensor : shard.header().tensors()) keys.push_back(tensor.key);
      }
    } else if (!keys_file_.empty()) {
      std::error_code ignored;
      if (!std::filesystem::exists(keys_file_, ignored)) {
        throw Error(ErrorKind::entry_invalid, "does not exist").in(keys_file_);
      }
      file = keys_of_lines(read_small_file(keys_file_, kLargestKeyFile), keys_file_);
      keys = file.keys;
    } else {
      made = example_keys(Renaming(given.transforms, given.renaming));
      keys.assign(made.begin(), made.end());
      answer.made_from_patterns = true;
    }
    answer.keys = keys.size();
    if (given.transforms.transforms.empty() && !given.renaming.strip_wrappers) return;
    answer.names_looked_at = true;
    answer.findings =
        lint_names({given.transforms, given.renaming, keys, !answer.made_from_patterns}, console.interrupt);
  }

  std::string path_, keys_file_;
  bool json_ = false;
  TransformOptions transforms_;
  SourceOptions source_;
};

}  // namespace

namespace described {
extern const CommandInfo lint{
    "lint", "finds what is wrong with transforms and checkpoints, with a key that shows it",
    "Of a checkpoint: an index that promises other keys than the headers hold, keys in two shards, a wrong\n"
    "total_size, truncated, missing and stray shards. Of transforms:\n"
    "collisions, transforms that match nothing, a second load that changes keys, a way back that leads\n"
    "elsewhere, prefixes that only a receipt brings back, transforms whose order decides. Without PATH and\n"
    "--keys, the keys to try are made from the patterns themselves. Exit code 1: something was found.\n",
    "  keyshift lint DIR\n"
    "  keyshift lint --transforms rules.json\n"
    "  keyshift lint DIR --transforms rules.json --target model.json\n"
    "  keyshift lint --keys model-keys.txt --transforms rules.json --direction save --used all\n",
    [] { return std::unique_ptr<Command>(new LintCommand); }};
}  // namespace described

}  // namespace keyshift::tools
