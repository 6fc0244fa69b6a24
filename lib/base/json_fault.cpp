#include "base/json_fault.h"

#include <fmt/format.h>

namespace keyshift::json {

Fault find_token_fault(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size() && text[i] != '"' && text[i] != '\\') ++i;
  while (i < text.size() && text[i] == '"') {
    const std::size_t opening = i++;
    for (bool escaped = false; i < text.size() && (escaped || text[i] != '"'); ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      if (byte < 0x20) {
        return {i, fmt::format("the control character 0x{:02x} stands in a string as it is", byte)};
      }
      escaped = !escaped && byte == '\\';
    }
    if (i >= text.size()) return {opening, "a string begins here and never ends"};
    do ++i;
    while (i < text.size() && text[i] != '"' && text[i] != '\\');
  }
  if (i < text.size()) return {i, "a backslash outside of a string"};
  return {text.size(), "it holds no value"};
}

Fault find_open_end(std::string_view text) {
  std::size_t depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      for (++i; i < text.size() && text[i] != '"'; ++i) {
        if (text[i] == '\\') ++i;
      }
    }
    if (i >= text.size()) break;
    if (text[i] == '{' || text[i] == '[') ++depth;
    if ((text[i] == '}' || text[i] == ']') && --depth == 0) {
      const std::size_t next = text.find_first_not_of(" \t\n\r", i + 1);
      if (next != std::string_view::npos) return {next, "something follows the value"};
    }
  }
  return {text.size(), "it ends before everything that was opened is closed"};
}

}  // namespace keyshift::json
