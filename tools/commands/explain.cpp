#include "tools/commands/explain.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"
#include "format/checkpoint.h"
#include "tools/source_options.h"
#include "tools/transform_options.h"

namespace keyshift::tools {

namespace {

class Explain : public Command {
 public:
  void declare(Options& options) override {
    options.argument("KEY", "the name of a tensor; of a checkpoint on load, of the model on save", key_);
    options.optional_argument("PATH",
                              "a checkpoint among whose keys it is explained: what a GroupWeightRename does "
                              "depends on the keys before, and a save finds its receipt there",
                              path_);
    options.heading("Output");
    options.flag("--json", "one JSON object, schema keyshift-explain/1; places are counted in characters",
                 json_);
    transforms_.declare(options);
    source_.declare(options);
  }

  int run(Console& console) override {
    if (utf8::find_invalid(key_) != std::string::npos) {
      throw Error(ErrorKind::key_not_utf8, fmt::format("the key {} is not valid UTF-8", quote(key_)));
    }
    std::optional<Checkpoint> checkpoint;
    if (!path_.empty()) checkpoint = Checkpoint::open(path_, source_.open_options());
    const GivenTransforms given = transforms_.resolve(
        checkpoint ? std::optional(checkpoint->place()) : std::nullopt, source_.open_options());
    const Renaming renaming(given.transforms, given.renaming);
    const std::vector<std::string_view> keys =
        checkpoint ? keys_of(*checkpoint, console) : std::vector<std::string_view>();
    const Explanation explanation = explain(renaming, key_, keys);
    if (!checkpoint && renaming.is_stateful()) {
      console.warn(
          "there is a GroupWeightRename, which waits for its first source pattern to match a key before; "
          "give "
          "PATH to explain the key among all keys of a checkpoint");
    }
    if (json_) return console.answer(explain_json(explanation, renaming), kDone);
    return console.answer(explain_text(explanation, renaming, Style(console.colour)), kDone);
  }

 private:
  std::vector<std::string_view> keys_of(const Checkpoint& checkpoint, Console& console) const {
    std::vector<std::string_view> keys;
    for (const Shard& shard : checkpoint.shards()) {
      for (const TensorInfo& tensor : shard.header().tensors()) keys.push_back(tensor.key);
    }
    if (std::find(keys.begin(), keys.end(), key_) == keys.end()) {
      console.warn(
          fmt::format("{} has no key {}; it is explained as if it had", printable(path_), quote(key_)));
    }
    return keys;
  }

  std::string key_, path_;
  bool json_ = false;
  TransformOptions transforms_;
  SourceOptions source_;
};

}  // namespace

namespace described {
extern const CommandInfo explain{
    "explain", "shows step by step what the transforms do to one key",
    "Under each key carets mark what a transform matched and what it put in its place. Numbers of "
    "transforms\n"
    "count from 0, in the order in which they were given. Patterns are shown as transformers processed "
    "them;\n"
    "on save they are the reversed ones.\n",
    "  keyshift explain lm.model.norm.weight --rename '^lm.model=>model'\n"
    "  keyshift explain model.norm.weight DIR --transforms rules.json --direction save --used all\n",
    [] { return std::unique_ptr<Command>(new Explain); }};
}  // namespace described

}  // namespace keyshift::tools
