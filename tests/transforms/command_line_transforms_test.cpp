#include <doctest/doctest.h>

#include "base/error.h"
#include "rename_all.h"
#include "support/error_text.h"

using namespace keyshift;
using namespace keyshift::test;

namespace {

std::string load_with(Transform transform, const std::string& key, Direction direction = Direction::load) {
  TransformList list;
  list.transforms.push_back(std::move(transform));
  RenamingOptions options;
  options.direction = direction;
  options.used.which = UsedTransforms::Which::all;
  return rename_all(list, options, {key}).front();
}

}  // namespace

TEST_CASE("--rename is split at the last arrow and nothing is trimmed") {
  const Transform transform = parse_rename_option("a=>b => c");
  CHECK(transform.type == TransformType::WeightRenaming);
  CHECK(transform.source_patterns == std::vector<std::string>{"a=>b "});
  CHECK(transform.target_patterns == std::vector<std::string>{" c"});
  CHECK(transform.place == "--rename \"a=>b => c\"");
}

TEST_CASE("--rename may remove a text, and an empty source puts the target in front") {
  CHECK(load_with(parse_rename_option("model\\.=>"), "model.a") == "a");
  CHECK(load_with(parse_rename_option("=>x."), "a") == "x.a");
}

TEST_CASE("--rename without an arrow is refused") {
  CHECK(error_text([] { parse_rename_option("a->b"); }) == "--rename \"a->b\": expected SOURCE=>TARGET");
}

TEST_CASE("--rename with a pattern that cannot be compiled is refused, whatever the direction will be") {
  CHECK(error_text([] { parse_rename_option("x(a=>b"); }) ==
        "--rename \"x(a=>b\": source pattern \"x(a\": missing ), unterminated subpattern, at character 2");
}

TEST_CASE("options that are not UTF-8 are refused") {
  CHECK(error_text([] { parse_rename_option("a\xff=>b"); }) ==
        "--rename \"a\\xff=>b\": the text is not valid UTF-8");
  CHECK(error_text([] { add_prefix_option("\xff"); }) ==
        "--add-prefix \"\\xff\": the text is not valid UTF-8");
}

TEST_CASE("--add-prefix takes a name with or without its final dot and does not add it twice") {
  for (const char* prefix : {"model", "model."}) {
    CHECK(load_with(add_prefix_option(prefix), "a.b") == "model.a.b");
    CHECK(load_with(add_prefix_option(prefix), "model.a.b") == "model.a.b");
    CHECK(load_with(add_prefix_option(prefix), "modelx.a") == "model.modelx.a");
  }
}

TEST_CASE("a dot in a prefix is a dot") {
  CHECK(load_with(remove_prefix_option("model.vision"), "model.vision.a") == "a");
  CHECK(load_with(remove_prefix_option("model.vision"), "model_vision.a") == "model_vision.a");
  CHECK(load_with(add_prefix_option("model.vision"), "a") == "model.vision.a");
  CHECK(load_with(add_prefix_option("model.vision"), "model_vision.a") == "model.vision.model_vision.a");
}

TEST_CASE("the two prefix options undo each other on save") {
  CHECK(load_with(add_prefix_option("a.b-c/d"), "a.b-c/d.x", Direction::save) == "x");
  CHECK(load_with(remove_prefix_option("a.b-c/d"), "x", Direction::save) == "a.b-c/d.x");
}

TEST_CASE("a prefix with characters of a pattern is refused, for it would not mean itself") {
  CHECK(
      error_text([] { add_prefix_option("a*"); }) ==
      "--add-prefix takes plain text, and \"a*\" holds \"*\", which has a meaning in patterns; use --rename "
      "'SOURCE=>TARGET' for patterns");
  for (const char* prefix : {"\\", "^a", "a$", "a+b", "a?", "{2}", "[a]", "a|b", "(a)"}) {
    CHECK(error_text([&] { remove_prefix_option(prefix); }) != "no error");
  }
}

TEST_CASE("an empty prefix is refused") {
  CHECK(error_text([] { remove_prefix_option("."); }) == "--remove-prefix needs a name, such as \"model\"");
  CHECK(error_text([] { add_prefix_option(""); }) == "--add-prefix needs a name, such as \"model\"");
}
