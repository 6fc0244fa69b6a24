// Where a text that simdjson refuses as a whole goes wrong: it tells only the class of the fault.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace keyshift::json {

struct Fault {
  std::size_t offset = 0;  // bytes into the text
  std::string message;
};

/// Why `text` could not be split into tokens: a string that does not end or holds a control character, a
/// backslash outside of strings, or nothing at all.
Fault find_token_fault(std::string_view text);

/// Why the last token of `text` does not close the object or array that its first one opens: the text ends
/// too early, or something follows what is closed.
Fault find_open_end(std::string_view text);

}  // namespace keyshift::json
