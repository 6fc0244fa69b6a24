// What a KeyMapping does to a key: Python's re.sub with the first case that is found (TRANSFORMS.md, T41).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "transforms/compiled_transform.h"
#include "transforms/python_template.h"

namespace keyshift {

/// Immutable, shared between threads.
class KeyMapping {
 public:
  /// Throws TransformFault: `source` is the number of the case at fault, `in_target` says on which side.
  explicit KeyMapping(const Transform& transform);

  /// As CompiledTransform::apply(). A key that is dropped becomes empty.
  std::optional<Applied> apply(std::string& key) const;
  bool matches(std::string_view key, Match& match) const;

 private:
  struct Case {
    Pattern source;
    std::optional<PythonTemplate> target;  // none: what is found is dropped
  };
  std::size_t prefix_size(std::string_view key) const;
  Applied substitute(const Case& found, Match& match, std::string& key, std::size_t prefix) const;

  std::vector<Case> cases_;
  bool of_an_adapter_;
};

}  // namespace keyshift
