#include "tools/console.h"

namespace keyshift::tools {

void Console::say(std::string_view prefix, std::string_view text) {
  std::string line(prefix);
  line += text;
  line += '\n';
  try {
    err.write(line);
  } catch (...) {  // a closed stderr cannot be told about itself
  }
}

void Console::warn(std::string_view text) {
  if (!quiet) say("keyshift: warning: ", text);
}

void Console::note(std::string_view text) {
  if (!quiet) say("", text);
}

void Console::error(std::string_view text) { say("keyshift: error: ", text); }

int Console::answer(std::string_view text, int code) {
  try {
    out.write(text);
  } catch (const ReaderGone&) {
  }
  return code;
}

}  // namespace keyshift::tools
