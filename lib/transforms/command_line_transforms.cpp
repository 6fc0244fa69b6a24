// Transforms given as options of a command (TRANSFORMS.md, T4).
#include <fmt/format.h>

#include "base/utf8.h"
#include "transforms/processed_patterns.h"
#include "transforms/transform_file.h"

namespace keyshift {

namespace {

constexpr std::string_view kArrow = "=>";
// Characters that mean something in a pattern; the dot, which every prefix may hold, is escaped instead.
constexpr std::string_view kSpecial = "\\^$*+?{}[]|()";

void check_text(std::string_view option, std::string_view text) {
  if (utf8::find_invalid(text) != std::string_view::npos) {
    throw Error(ErrorKind::usage, fmt::format("{} {}: the text is not valid UTF-8", option, quote(text)));
  }
}

// A dot that is escaped means a dot in the pattern, and the target that is made from it drops the backslash.
std::string prefix_pattern(std::string_view option, std::string_view prefix) {
  check_text(option, prefix);
  const std::string_view name = prefix.ends_with('.') ? prefix.substr(0, prefix.size() - 1) : prefix;
  if (name.empty()) throw Error(ErrorKind::usage, fmt::format("{} needs a name, such as \"model\"", option));
  if (const std::size_t at = name.find_first_of(kSpecial); at != std::string_view::npos) {
    throw Error(
        ErrorKind::usage,
        fmt::format("{} takes plain text, and {} holds {}, which has a meaning in patterns; use --rename "
                    "'SOURCE=>TARGET' for patterns",
                    option, quote(prefix), quote(name.substr(at, 1))));
  }
  std::string out;
  for (const char c : name) out += c == '.' ? std::string("\\.") : std::string(1, c);
  return out;
}

Transform prefix_change(std::string_view option, std::string_view prefix) {
  Transform out;
  out.type = TransformType::PrefixChange;
  out.place = fmt::format("{} {}", option, quote(prefix));
  return out;
}

}  // namespace

Transform parse_rename_option(std::string_view text) {
  check_text("--rename", text);
  const std::size_t arrow = text.rfind(kArrow);
  if (arrow == std::string_view::npos) {
    throw Error(ErrorKind::usage, fmt::format("--rename {}: expected SOURCE=>TARGET", quote(text)));
  }
  Transform out;
  out.source_patterns = {std::string(text.substr(0, arrow))};
  out.target_patterns = {std::string(text.substr(arrow + kArrow.size()))};
  out.place = fmt::format("--rename {}", quote(text));
  try {
    check_transform(out);
  } catch (const TransformFault& fault) {
    throw Error(ErrorKind::usage, fmt::format("{}: {}", out.place, fault.message));
  }
  return out;
}

Transform add_prefix_option(std::string_view prefix) {
  Transform out = prefix_change("--add-prefix", prefix);
  out.prefix_to_add = prefix_pattern("--add-prefix", prefix);
  return out;
}

Transform remove_prefix_option(std::string_view prefix) {
  Transform out = prefix_change("--remove-prefix", prefix);
  out.prefix_to_remove = prefix_pattern("--remove-prefix", prefix);
  return out;
}

}  // namespace keyshift
