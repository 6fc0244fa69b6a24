// The program: from arguments to an exit code.
#pragma once

#include <string>
#include <vector>

#include "tools/console.h"

namespace keyshift::tools {

/// Finds the command, runs it and tells what went wrong. `arguments`: without the program's name.
int run(const std::vector<std::string>& arguments, Console& console);

/// run() over the process's own descriptors, with its signals handled.
int run_program(int argc, char** argv);

}  // namespace keyshift::tools
