// What every command that opens a checkpoint lets its user say about it.
#pragma once

#include <string>

#include "format/checkpoint.h"
#include "tools/cli.h"
#include "tools/console.h"

namespace keyshift::tools {

class SourceOptions {
 public:
  void declare(Options& options);
  OpenOptions open_options() const;
  /// Threads to use: --jobs, else the processors that this process may use.
  unsigned jobs() const;

 private:
  std::string variant_, revision_, io_;
  unsigned jobs_ = 0;
};

/// Tells everything odd about an opened checkpoint.
void warn_of(const std::vector<std::string>& warnings, Console& console);

}  // namespace keyshift::tools
