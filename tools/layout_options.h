// Which tensors are written and how they are spread over files: --keep, --drop, --layout,
// --max-shard-size; and how their bytes move: --copy, --digests.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/copy_ways.h"
#include "plan/plan.h"
#include "tools/cli.h"
#include "transforms/subset.h"

namespace keyshift::tools {

class SubsetOptions {
 public:
  void declare(Options& options);
  const SubsetPatterns& patterns() const noexcept { return patterns_; }

 private:
  SubsetPatterns patterns_;
};

class LayoutOptions {
 public:
  void declare(Options& options);
  PlanOptions plan_options() const;

 private:
  std::string layout_;
  std::optional<std::uint64_t> max_shard_size_;
};

class CopyChoice {
 public:
  void declare(Options& options);
  CopyOptions copy_options() const;

 private:
  std::string copy_, digests_;
  bool sha256_ = false;
};

}  // namespace keyshift::tools
