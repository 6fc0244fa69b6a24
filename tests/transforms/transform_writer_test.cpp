#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "base/utf8.h"
#include "rename_all.h"

using namespace keyshift;
using namespace keyshift::test;

TEST_CASE("a list is written as a transform file of the schema") {
  const auto list = rules(R"({"schema":"weight-transforms/1","base_model_prefix":"","model_type":"t",
    "transforms":[{"type":"PrefixChange","prefix_to_add":"é\"","scope_prefix":"","base_model_prefix":"m"}]})");
  CHECK(write_transforms(list) == R"({
  "schema": "weight-transforms/1",
  "model_type": "t",
  "base_model_prefix": "",
  "transforms": [
    {
      "type": "PrefixChange",
      "prefix_to_add": "é\"",
      "scope_prefix": "",
      "base_model_prefix": "m"
    }
  ]
}
)");
}

TEST_CASE("every type of transform comes back as it was written") {
  const char* text = R"j([
    {"type":"WeightRenaming","source_patterns":["a\\.","b\n"],"target_patterns":["(c)"]},
    {"type":"PrefixChange","prefix_to_remove":"a","model_prefix":"m"},
    {"type":"GroupWeightRename","source_patterns":["a","b"],"target_patterns":["b","c"],"scope_prefix":"s"},
    {"type":"GroupWeightRename","source_patterns":"ab","target_patterns":["c","d"]},
    {"type":"Inkling2IndexOffsetWeightRename","source_patterns":"(a)","target_patterns":"b","offset":-3},
    {"type":"WeightConverter","source_patterns":"a","target_patterns":["b","c"],"force_cpu":true,
     "operations":[{"type":"Chunk","dim":-1,"num_shards_attribute":null},
                   {"type":"PermuteForRope","inverse":true,"permute_layer_names":["q","k"]},
                   {"type":"LinearToConv3d","in_channels":3,"kernel_size":[1,2,3]}]}])j";
  const auto list = rules(text);
  const std::string written = write_transforms(list);
  const auto again = rules(written);
  CHECK(write_transforms(again) == written);
  REQUIRE(again.transforms.size() == list.transforms.size());
  for (std::size_t i = 0; i < list.transforms.size(); ++i) {
    const Transform &a = list.transforms[i], &b = again.transforms[i];
    CHECK(a.type == b.type);
    CHECK(a.source_patterns == b.source_patterns);
    CHECK(a.target_patterns == b.target_patterns);
    CHECK(a.prefix_to_add == b.prefix_to_add);
    CHECK(a.prefix_to_remove == b.prefix_to_remove);
    CHECK(a.model_prefix == b.model_prefix);
    CHECK(a.offset == b.offset);
    CHECK(a.force_cpu == b.force_cpu);
    CHECK(a.scope_prefix == b.scope_prefix);
    CHECK(a.base_model_prefix == b.base_model_prefix);
    CHECK(a.operations.size() == b.operations.size());
  }
}

TEST_CASE("property: texts of any characters come back from a written file") {
  CHECK(rc::check([] {
    TransformList list = renaming_of("a", "b");
    const auto characters = *rc::gen::container<std::u32string>(
        rc::gen::oneOf(rc::gen::inRange<char32_t>(0, 0x80), rc::gen::inRange<char32_t>(0xE000, 0x11000)));
    for (const char32_t c : characters) utf8::append(list.transforms[0].target_patterns[0], c);
    list.transforms[0].scope_prefix = list.transforms[0].target_patterns[0];
    const auto again = rules(write_transforms(list));
    RC_ASSERT(again.transforms[0].target_patterns == list.transforms[0].target_patterns);
    RC_ASSERT(again.transforms[0].scope_prefix == list.transforms[0].scope_prefix);
  }));
}
