#include "tools/commands/sample.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstring>

#include "tools/command.h"
#include "tools/style.h"

namespace keyshift::tools {

namespace {

// `path` as a word of a shell's command line.
std::string shell_word(const std::string& path) {
  const auto plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || std::strchr("/._-+", c) != nullptr;
  };
  if (!path.empty() && std::all_of(path.begin(), path.end(), plain)) return path;
  std::string out = "'";
  for (const char c : path) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

class Sample : public Command {
 public:
  void declare(Options& options) override {
    options.argument("DIR", "a folder that is not there yet, or empty", folder_);
  }

  int run(Console& console) override {
    const std::vector<std::string> names = write_sample(folder_, console.interrupt);
    if (console.quiet) return kDone;
    std::string folder = folder_;
    while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
    const std::string here = printable(shell_word(folder));
    const std::string there = printable(shell_word(folder + "-renamed"));
    const std::string rules = printable(shell_word(folder + "/transforms.json"));
    std::string out = fmt::format("wrote {} to {}: {}\n\nTry:\n", counted(names.size(), "file"),
                                  printable(folder_), fmt::join(names, ", "));
    out += fmt::format("  keyshift inspect {}\n", here);
    out += fmt::format("  keyshift convert {} {} --transforms {}\n", here, there, rules);
    out += fmt::format("  keyshift verify {} {}\n", here, there);
    out += fmt::format("  keyshift roundtrip {} --transforms {}\n", here, rules);
    return console.answer(out, kDone);
  }

 private:
  std::string folder_;
};

}  // namespace

namespace described {
extern const CommandInfo sample{
    "sample", "writes a small checkpoint and a transform file to try the rest on",
    "A vision-language model of the Llama family in three shards, under 1 MB, with the names that old "
    "checkpoints\n"
    "have, and transforms.json, which gives them their new ones. Always the same bytes.\n",
    "  keyshift sample demo\n", [] { return std::unique_ptr<Command>(new Sample); }};
}  // namespace described

}  // namespace keyshift::tools
