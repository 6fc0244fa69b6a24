#include <array>

#include "tools/command.h"

// Every command, in the order of the help. Each is described in tools/commands/NAME.cpp.
// clang-format off
#define KEYSHIFT_COMMANDS(X) \
  X(inspect) \
  X(rename) \
  X(explain) \
  X(lint) \
  X(plan) \
  X(convert) \
  X(batch) \
  X(revert) \
  X(recover) \
  X(reindex) \
  X(verify) \
  X(roundtrip) \
  X(digest) \
  X(check) \
  X(diff) \
  X(infer) \
  X(bench) \
  X(sample)
// clang-format on

namespace keyshift::tools {

namespace described {
#define KEYSHIFT_DECLARE(NAME) extern const CommandInfo NAME;
KEYSHIFT_COMMANDS(KEYSHIFT_DECLARE)
}  // namespace described

std::span<const CommandInfo> commands() {
#define KEYSHIFT_ENTRY(NAME) described::NAME,
  static const std::array all{KEYSHIFT_COMMANDS(KEYSHIFT_ENTRY)};
  return all;
}

}  // namespace keyshift::tools
