#include "tools/program.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>

#include "base/error.h"
#include "tools/command.h"
#include "tools/version.h"

namespace keyshift::tools {

namespace {

constexpr std::string_view kAbout =
    "keyshift renames tensors in safetensors checkpoints by the rules of Hugging Face transformers and "
    "proves\n"
    "that no byte of them changed. It needs no Python and no model, and loads no tensor into memory.\n";

constexpr std::string_view kExitCodes =
    "Exit codes: 0 done; 1 the answer is no; 2 wrong usage; 3 bad input; 4 input or output failed; 130 "
    "interrupted.\n";

std::string general_help() {
  std::string out(kAbout);
  out += "\nUsage: keyshift COMMAND [options]\n\nCommands:\n";
  for (const CommandInfo& command : commands())
    out += fmt::format("  {:<11}{}\n", command.name, command.summary);
  out +=
      "\nOptions:\n  -h, --help  this text; after a command, its own\n  --version   the version\n\nExample:\n"
      "  keyshift inspect model.safetensors\n\n";
  out += kExitCodes;
  return out;
}

std::string help_of(const CommandInfo& info, const Options& options) {
  return fmt::format("keyshift {}: {}\n\nUsage: keyshift {} {}\n\n{}\n{}\nExamples:\n{}", info.name,
                     info.summary, info.name, options.usage(), info.details, options.help(), info.examples);
}

int run_command(const CommandInfo& info, const std::vector<std::string>& arguments, Console& console) {
  const std::unique_ptr<Command> command = info.make();
  Options options;
  command->declare(options);
  options.heading("Common");
  options.flag("-q,--quiet", "no notes, warnings and progress on stderr", console.quiet);
  if (options.parse(arguments)) return console.answer(help_of(info, options), kDone);
  return command->run(console);
}

int dispatch(const std::vector<std::string>& arguments, Console& console) {
  if (arguments.empty()) {
    console.note(general_help());
    return kUsage;
  }
  const std::string& first = arguments.front();
  if (first == "--help" || first == "-h") return console.answer(general_help(), kDone);
  if (first == "--version") return console.answer(fmt::format("keyshift {}\n", kVersion), kDone);
  const auto all = commands();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const CommandInfo& c) { return c.name == first; });
  if (found != all.end()) return run_command(*found, {arguments.begin() + 1, arguments.end()}, console);
  std::vector<std::string_view> names;
  for (const CommandInfo& command : all) names.push_back(command.name);
  throw Error(ErrorKind::usage,
              fmt::format("there is no {} {}; commands are {}", first.starts_with("-") ? "option" : "command",
                          quote(first), fmt::join(names, ", ")));
}

int exit_code(ErrorCategory category) {
  switch (category) {
    case ErrorCategory::usage:
      return kUsage;
    case ErrorCategory::input:
      return kBadInput;
    case ErrorCategory::io:
      return kInputOutput;
    case ErrorCategory::interrupted:
      return kInterrupted;
  }
  return kInputOutput;
}

// "; see `keyshift NAME --help`" after an error of usage.
std::string hint(const Error& error, const std::vector<std::string>& arguments) {
  if (error.kind() != ErrorKind::usage || !error.file().empty()) return {};
  const auto all = commands();
  const bool known =
      std::any_of(all.begin(), all.end(), [&](const CommandInfo& c) { return c.name == arguments.front(); });
  return fmt::format("\nsee `keyshift {}--help`", known ? arguments.front() + ' ' : "");
}

}  // namespace

int run(const std::vector<std::string>& arguments, Console& console) {
  try {
    return dispatch(arguments, console);
  } catch (const ReaderGone&) {
    return kInputOutput;
  } catch (const Error& error) {
    console.error(error.what() + hint(error, arguments));
    return exit_code(category(error.kind()));
  } catch (const std::bad_alloc&) {
    console.error("not enough memory; nothing was published");
  } catch (const std::exception& failure) {
    console.error(
        fmt::format("unexpected: {}; this is a fault of keyshift, please report it", failure.what()));
  }
  return kInputOutput;
}

}  // namespace keyshift::tools
