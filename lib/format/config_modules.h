// Module names inside a config.json, such as those that a quantization leaves out: they follow a renaming of
// tensors (TRANSFORMS.md, T50 …).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace keyshift {

/// A tensor's name before and after; borrows.
struct RenamedTensor {
  std::string_view from, to;
};

struct ConfigRewrite {
  struct Change {
    std::string where;  // a JSON pointer
    std::string from, to;
  };
  struct Left {  // an entry that stays although it may be meant otherwise
    std::string where, text, why;
  };
  std::string text;  // the whole file; as it was but for the names
  std::vector<Change> changes;
  std::vector<Left> left;
};

inline constexpr std::string_view kConfigName = "config.json";

/// `text`: the file. `file_name`: for messages. Errors: config_invalid (it is no JSON) with the place.
ConfigRewrite rewrite_config(const std::string& text, const std::vector<RenamedTensor>& tensors,
                             const std::string& file_name);

}  // namespace keyshift
