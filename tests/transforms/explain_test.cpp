#include "transforms/explain.h"

#include <doctest/doctest.h>

#include "transforms/transform_file.h"

using keyshift::explain;
using keyshift::Explanation;
using keyshift::parse_transforms;
using keyshift::RenameStep;
using keyshift::Renaming;

namespace {

const char* const kGroups = R"([
  {"type": "GroupWeightRename", "source_patterns": ["norm0", "norm1"], "target_patterns": ["norm1", "norm2"]}])";

}  // namespace

TEST_CASE("each step tells the transform, the place and the key before and after") {
  const Renaming renaming(parse_transforms(R"([
    {"type": "WeightRenaming", "source_patterns": "^lm", "target_patterns": "model"},
    {"type": "WeightRenaming", "source_patterns": "nowhere", "target_patterns": "x"},
    {"type": "WeightRenaming", "source_patterns": ["gamma", "beta"], "target_patterns": "weight"}])",
                                           "r.json"),
                          {});
  const Explanation explanation = explain(renaming, "lm.a.beta");
  CHECK(explanation.to == "model.a.weight");
  REQUIRE(explanation.steps.size() == 2);
  const RenameStep& first = explanation.steps[0];
  CHECK(first.transform == 0);
  CHECK(first.before == "lm.a.beta");
  CHECK(first.after == "model.a.beta");
  const RenameStep& second = explanation.steps[1];
  CHECK(second.transform == 2);
  CHECK(second.applied.source == 1);
  CHECK(second.applied.match_begin == 8);
  CHECK(second.applied.match_end == 12);
  CHECK(second.applied.replacement_size == 6);
  CHECK(second.armed);
}

TEST_CASE("a group explained alone is not armed, and says what it would match") {
  const Renaming renaming(parse_transforms(kGroups, "r.json"), {});
  const Explanation explanation = explain(renaming, "a.norm1.w");
  CHECK(explanation.to == "a.norm1.w");
  REQUIRE(explanation.steps.size() == 1);
  CHECK_FALSE(explanation.steps[0].armed);
  CHECK(explanation.steps[0].after == "a.norm2.w");
  CHECK(explanation.outcome.transforms.empty());
}

TEST_CASE("a group is armed by a key that the dot-natural order puts before, wherever that stands") {
  const Renaming renaming(parse_transforms(kGroups, "r.json"), {});
  const std::vector<std::string_view> keys = {"a.norm1.w", "a.norm0.w"};
  CHECK(explain(renaming, "a.norm1.w", keys).to == "a.norm2.w");
  const std::vector<std::string_view> later = {"a.norm1.w", "b.norm0.w"};
  CHECK(explain(renaming, "a.norm1.w", later).to == "a.norm1.w");
  CHECK(explain(renaming, "c.norm1.w", later).to == "c.norm2.w");  // as one more of them
}

TEST_CASE("keys that tie keep their order") {
  const Renaming renaming(parse_transforms(R"([{"type": "GroupWeightRename", "source_patterns": ["w01", "w1"],
                                               "target_patterns": ["x", "y"]}])",
                                           "r.json"),
                          {});
  const std::vector<std::string_view> guard_first = {"w01", "w1"}, guard_last = {"w1", "w01"};
  CHECK(explain(renaming, "w1", guard_first).to == "y");
  CHECK(explain(renaming, "w1", guard_last).to == "w1");
}

TEST_CASE("converters that match behind the one that fired are named") {
  const Renaming renaming(parse_transforms(R"([
    {"type": "WeightConverter", "source_patterns": "a", "target_patterns": "b", "operations": [{"type": "Transpose"}]},
    {"type": "WeightConverter", "source_patterns": "x", "target_patterns": "b", "operations": [{"type": "Transpose"}]},
    {"type": "WeightConverter", "source_patterns": "w", "target_patterns": "b", "operations": [{"type": "Transpose"}]}])",
                                           "r.json"),
                          {});
  const Explanation explanation = explain(renaming, "a.w");
  CHECK(explanation.outcome.converter == "a");
  CHECK(explanation.passed_over == std::vector<std::uint32_t>{2});
  CHECK(explain(renaming, "w").passed_over.empty());
}

TEST_CASE("the step of a transform is found in either direction, and none where a save leaves it out") {
  const auto list = parse_transforms(R"([
    {"type": "PrefixChange", "prefix_to_add": "model"},
    {"type": "WeightRenaming", "source_patterns": "a", "target_patterns": "b"}])",
                                     "r.json");
  const Renaming save(list, {keyshift::Direction::save, {}, false, nullptr});
  CHECK(find_step(save, 0) == nullptr);
  REQUIRE(find_step(save, 1) != nullptr);
  CHECK(find_step(save, 1)->transform.source_patterns().front() == "b");
}
