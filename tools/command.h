// A command of keyshift: one file tools/commands/NAME.cpp and one line in commands.cpp.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "tools/cli.h"
#include "tools/console.h"

namespace keyshift::tools {

class Command {
 public:
  virtual ~Command() = default;
  virtual void declare(Options& options) = 0;
  /// Once the options are parsed; returns an exit code. Errors: those of the library.
  virtual int run(Console& console) = 0;
};

struct CommandInfo {
  std::string_view name;
  std::string_view summary;   // one line of the list of commands
  std::string_view details;   // what --help says beyond it; whole lines
  std::string_view examples;  // whole lines, each indented by two spaces
  std::unique_ptr<Command> (*make)();
};

/// All commands in the order in which the help lists them.
std::span<const CommandInfo> commands();

}  // namespace keyshift::tools
