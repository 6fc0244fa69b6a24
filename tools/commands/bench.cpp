#include <fmt/format.h>

#include <cmath>

#include "base/file_system.h"
#include "base/json_writer.h"
#include "format/checkpoint.h"
#include "tools/command.h"
#include "tools/commands/rename.h"
#include "tools/source_options.h"
#include "tools/style.h"
#include "tools/transform_options.h"
#include "transforms/throughput.h"

namespace keyshift::tools {

namespace {

constexpr std::uint64_t kMaxKeyFile = std::uint64_t{1} << 32U;  // bytes
constexpr double kSeconds = 0.5;                                // of each row, at least

std::uint64_t whole(double rate) { return static_cast<std::uint64_t>(std::llround(rate)); }

// "147 million", "2.31 million", "64,000".
std::string human_rate(double rate) {
  if (rate < 1e6) return grouped(whole(rate));
  const double millions = rate / 1e6;
  return fmt::format("{:.{}f} million", millions, millions >= 100 ? 0 : millions >= 10 ? 1 : 2);
}

std::string json_answer(const Throughput& result, std::size_t transforms) {
  json::Writer out;
  out.begin_object();
  out.key("schema").string("keyshift-bench/1");
  out.key("keys").number(std::uint64_t{result.keys});
  out.key("transforms").number(std::uint64_t{transforms});
  out.key("shapes").number(std::uint64_t{result.shapes});
  out.key("keys_per_second").begin_object();
  out.key("trie").number(whole(result.trie));
  out.key("shuffled").number(whole(result.shuffled));
  out.key("rule_by_rule").number(whole(result.rule_by_rule));
  out.end_object();
  out.end_object();
  out.text() += '\n';
  return out.text();
}

std::string text_answer(const Throughput& result, std::size_t transforms, const Style& style) {
  const auto row = [&](std::string_view name, double rate) {
    return fmt::format("  {:<22}{} keys/s\n", name, style.number(fmt::format("{:>14}", human_rate(rate))));
  };
  return fmt::format("{} of {}, {}; one core, first pass included, every byte written\n",
                     counted(result.keys, "key"), counted(result.shapes, "shape"),
                     counted(transforms, "transform")) +
         row("trie", result.trie) + row("trie, keys shuffled", result.shuffled) +
         row("one after another", result.rule_by_rule) +
         "the answers were compared key by key first: the same\n";
}

class Bench : public Command {
 public:
  void declare(Options& options) override {
    options.optional_argument("PATH", "a checkpoint, whose keys are renamed", path_);
    options.value("--keys", "FILE", "rename the keys in FILE instead, one a line", key_file_);
    options.heading("Output");
    options.flag("--json", "one JSON object, schema keyshift-bench/1; rates are whole keys a second", json_);
    transforms_.declare(options);
    source_.declare(options);
  }

  int run(Console& console) override {
    if (path_.empty() == key_file_.empty()) {
      throw Error(ErrorKind::usage,
                  path_.empty() ? "nothing to rename: give a checkpoint, or a file of keys with --keys"
                                : "both a checkpoint and --keys were given, and one of them is enough");
    }
    std::optional<Checkpoint> checkpoint;
    KeyList list;
    if (path_.empty()) {
      list = keys_of_lines(read_small_file(key_file_, kMaxKeyFile), key_file_);
    } else {
      checkpoint = Checkpoint::open(path_, source_.open_options());
      for (const Shard& shard : checkpoint->shards()) {
        for (const TensorInfo& tensor : shard.header().tensors()) list.keys.push_back(tensor.key);
      }
    }
    if (list.keys.empty()) {
      throw Error(ErrorKind::entry_invalid, "there is no key to rename")
          .in(path_.empty() ? key_file_ : path_);
    }
    const GivenTransforms given = transforms_.resolve(
        checkpoint ? std::optional(checkpoint->place()) : std::nullopt, source_.open_options());
    const TransformTrie trie(std::make_shared<const Renaming>(given.transforms, given.renaming));
    const Throughput result = measure_throughput(trie, list.keys, kSeconds, console.interrupt);
    const std::size_t transforms = given.transforms.transforms.size();
    if (json_) return console.answer(json_answer(result, transforms), kDone);
    return console.answer(text_answer(result, transforms, Style(console.colour)), kDone);
  }

 private:
  std::string path_, key_file_;
  bool json_ = false;
  TransformOptions transforms_;
  SourceOptions source_;
};

}  // namespace

namespace described {
extern const CommandInfo bench{
    "bench", "measures how many keys a second are renamed",
    "On the keys of a checkpoint or of a file, with these transforms, on one core: the compiled trie with "
    "the\n"
    "keys in their order and shuffled, and one transform after another. Each pass is a first one, which has\n"
    "the shapes of the keys still to learn, and writes every byte; medians. Before anything is timed the\n"
    "answers of the trie are held against one after another.\n",
    "  keyshift bench DIR --transforms rules.json\n"
    "  keyshift bench --keys keys.txt --rename '^model=>base' --json\n",
    [] { return std::unique_ptr<Command>(new Bench); }};
}  // namespace described

}  // namespace keyshift::tools
