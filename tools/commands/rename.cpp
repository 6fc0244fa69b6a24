#include "tools/commands/rename.h"

#include <fmt/format.h>

#include "base/side_by_side.h"
#include "format/header.h"
#include "tools/command.h"
#include "tools/commands/rename_stream.h"
#include "tools/style.h"
#include "transforms/check_against_plain.h"
#include "transforms/rename_run.h"

namespace keyshift::tools {

namespace {

// A key that no file can hold, made of one that it can.
void refuse_unwritable(const std::vector<std::string_view>& keys, const RenamedKeys& renamed) {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::string_view to = renamed[i];
    if ((!to.empty() && to != kMetadataKey) || to == keys[i] || renamed.outcome(i).dropped) continue;
    if (to.empty()) {
      throw Error(ErrorKind::key_empty, "would be renamed to nothing; change the transforms")
          .for_key(keys[i]);
    }
    throw Error(ErrorKind::key_reserved,
                fmt::format("would be renamed to {}, which the format keeps for its own metadata; change the "
                            "transforms",
                            quote(to)))
        .for_key(keys[i]);
  }
}

void tell_collisions(const std::vector<CollidingKeys>& collisions, Console& console) {
  constexpr std::size_t kShown = 10;
  for (std::size_t i = 0; i < std::min(kShown, collisions.size()); ++i) {
    const CollidingKeys& collision = collisions[i];
    console.warn(fmt::format(
        "collision: {} and {}{} would become {}", quote(collision.from[0]), quote(collision.from[1]),
        collision.from.size() > 2 ? fmt::format(" and {} more", collision.from.size() - 2) : "",
        quote(collision.to)));
  }
  if (collisions.size() > kShown) {
    console.warn(fmt::format("and {} more collisions", grouped(collisions.size() - kShown)));
  }
}

class Rename : public Command {
 public:
  void declare(Options& options) override {
    options.heading("Output");
    options.flag(
        "--json",
        "a JSON array of keys in, one JSON object out, schema keyshift-rename/1: for each key its new name, "
        "the transforms that matched and the converter that fired; used-flags; collisions",
        json_);
    options.flag(
        "--compare",
        "hold the compiled transforms against applying each one to each key, and fail if they differ",
        compare_);
    transforms_.declare(options);
  }

  int run(Console& console) override {
    const GivenTransforms given = transforms_.resolve(std::nullopt, {});
    const TransformTrie trie(std::make_shared<const Renaming>(given.transforms, given.renaming));
    if (console.in_is_terminal) console.note("reading keys from the terminal; end with ^D");
    if (!json_ && !compare_ && rename_stream(trie, console.in, console.out, console.interrupt)) return kDone;
    std::string text = read_all(console.in, console.interrupt);
    const KeyList list = json_ ? keys_of_json(std::move(text)) : keys_of_lines(std::move(text));
    RenameRun run(trie);
    RenamedKeys renamed;
    run.rename(list.keys, renamed);
    if (compare_) compare(trie, list.keys);
    refuse_unwritable(list.keys, renamed);
    const std::vector<bool> used = run.used();
    std::vector<CollidingKeys> collisions;
    const auto find_collisions = [&] { collisions = find_colliding_keys(list.keys, renamed); };
    RenameAnswer answer{list.keys, renamed, used, collisions};
    const TargetReport report = compare_with_target_of(given, answer);
    if (given.renaming.target) answer.target = &report;
    if (json_) {
      find_collisions();
      write_json(answer, console.out);
    } else {
      check_lines(answer);
      const auto write = [&] { write_lines(answer, console.out); };
      if (!side_by_side(write, find_collisions)) {
        write();
        find_collisions();
      }
      note_target(report, console);
    }
    tell_collisions(collisions, console);
    return collisions.empty() ? kDone : kAnswerIsNo;
  }

 private:
  static void compare(const TransformTrie& trie, const std::vector<std::string_view>& keys) {
    if (const auto difference = check_against_plain(trie, keys)) {
      throw Error(ErrorKind::rename_failed, *difference + "; this is a fault of keyshift, please report it");
    }
  }

  static TargetReport compare_with_target_of(const GivenTransforms& given, const RenameAnswer& answer) {
    if (!given.renaming.target) return {};
    std::vector<std::string_view> new_keys;
    new_keys.reserve(answer.keys.size());
    for (std::size_t i = 0; i < answer.keys.size(); ++i) {
      if (!answer.renamed.outcome(i).dropped) new_keys.push_back(answer.renamed[i]);
    }
    return compare_with_target(*given.renaming.target, new_keys);
  }

  bool json_ = false, compare_ = false;
  TransformOptions transforms_;
};

}  // namespace

namespace described {
extern const CommandInfo rename{
    "rename", "renames keys on standard input: a filter",
    "Reads a key a line and writes old<TAB>new lines in the same order; nothing is new where a tensor is\n"
    "dropped, as mappings of other tools do it. Exit code 1: two different keys "
    "would\n"
    "become one; all lines are written all the same.\n",
    "  printf 'lm.model.norm.weight\\n' | keyshift rename --rename '^lm.model=>model'\n"
    "  keyshift inspect --keys DIR | cut -f1 | keyshift rename --transforms rules.json\n"
    "  echo '[\"model.norm.weight\"]' | keyshift rename --json --transforms rules.json --direction save "
    "--used all\n",
    [] { return std::unique_ptr<Command>(new Rename); }};
}  // namespace described

}  // namespace keyshift::tools
