// Keys renamed by their shapes, in the order in which they come.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "transforms/exact_path.h"
#include "transforms/renamed_keys.h"
#include "transforms/shape_kernel.h"
#include "transforms/shape_learner.h"
#include "transforms/shape_table.h"

namespace keyshift {

/// What a run learns of transforms and shares between its parts.
struct RunFindings {
  std::shared_ptr<OutcomePool> pool = std::make_shared<OutcomePool>();
  std::vector<bool> used;  // by transform, in file order

  /// The outcome's number in the pool, after its transforms have been marked as used.
  std::uint32_t add(RenameOutcome outcome);
};

class ShapeRun final : private ShapeSource {
 public:
  /// What to do with keys that a GroupWeightRename matches.
  enum class Groups {
    follow,  // rename them as the keys before have left the groups: the keys come in dot-natural order
    defer,   // leave them for another run
  };
  /// Borrows all three.
  ShapeRun(const TransformTrie& trie, const ShapeKernel& kernel, RunFindings& findings, Groups groups);

  /// Appends to `result` what the transforms make of the keys, without the loader's own steps. Errors:
  /// rename_failed, pattern_limit, naming the key; with Groups::defer, keys that fail are deferred too.
  void rename(std::span<const std::string_view> keys, RenamedKeys& result) {
    run(keys, result, ResultForm::bare);
  }
  /// The same with each result in a line, behind its key and a tab. Nothing can be deferred.
  void write_lines(std::span<const std::string_view> keys, RenamedKeys& result) {
    run(keys, result, ResultForm::line);
  }
  /// Which keys of the last call were deferred, ascending; their results are empty.
  const std::vector<std::size_t>& deferred() const noexcept { return deferred_; }
  /// Distinct shapes met.
  std::size_t shapes() const noexcept { return shapes_; }

 private:
  void run(std::span<const std::string_view> keys, RenamedKeys& result, ResultForm form);
  const Shape* shape_of(std::string_view key, RenamedKeys::Raw& raw) override;
  void make_room(std::size_t bytes, RenamedKeys::Raw& raw) override;
  const Shape& learn(std::string_view key, const PositionSet& open);
  const Shape* write_exactly(std::string_view key, RenamedKeys::Raw& raw);
  const Shape* defer(RenamedKeys::Raw& raw);

  const ShapeKernel* kernel_;
  RunFindings* findings_;
  bool defers_;
  ExactPath exact_path_;
  ShapeLearner learner_;
  ShapeTable table_;
  ArmedSteps armed_;  // by step
  std::size_t shapes_ = 0;

  ResultForm form_ = ResultForm::bare;
  RenamedKeys* result_ = nullptr;  // of the call that is running
  const std::uint64_t* first_end_ = nullptr;
  std::vector<std::size_t> deferred_;
  std::string exact_key_;
  RenameOutcome exact_outcome_;
};

}  // namespace keyshift
