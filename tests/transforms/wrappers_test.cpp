#include <doctest/doctest.h>

#include "base/error.h"
#include "rename_all.h"
#include "support/error_text.h"

using namespace keyshift;
using namespace keyshift::test;

TEST_CASE("what training wrappers leave in a name is stripped wherever it stands") {
  CHECK(strip_wrappers("_orig_mod.layers.0.weight") == "layers.0.weight");
  CHECK(strip_wrappers("layers.0._checkpoint_wrapped_module.weight") == "layers.0.weight");
  CHECK(strip_wrappers("a._fsdp_wrapped_module._fsdp_wrapped_module.b._orig_mod.c") == "a.b.c");
}

TEST_CASE("module is stripped at the start only, again and again, and below other wrappers") {
  CHECK(strip_wrappers("module.a.module.b") == "a.module.b");
  CHECK(strip_wrappers("module.module.a") == "a");
  CHECK(strip_wrappers("_orig_mod.module._fsdp_wrapped_module.module.a") == "a");
}

TEST_CASE("names that only resemble a wrapper stay") {
  CHECK(strip_wrappers("my_orig_mod.weight") == "my_orig_mod.weight");
  CHECK(strip_wrappers("_orig_mod") == "_orig_mod");
  CHECK(strip_wrappers("modules.a") == "modules.a");
  CHECK(strip_wrappers("a._orig_mod_.b") == "a._orig_mod_.b");
  CHECK(strip_wrappers("") == "");
  CHECK(strip_wrappers(".a..b.") == ".a..b.");
}

TEST_CASE("wrappers are stripped before any transform, and the outcome says so") {
  RenamingOptions options;
  options.strip_wrappers = true;
  const Renaming renaming(renaming_of("^layers", "blocks"), options);
  PlainRun run(renaming);
  RenameOutcome outcome;
  std::vector<RenameStep> steps;
  CHECK(run.rename("_orig_mod.layers.0", &outcome, &steps) == "blocks.0");
  CHECK(outcome.stripped_wrappers);
  REQUIRE(steps.size() == 2);
  CHECK(steps[0].what == "strip wrappers");
  CHECK(steps[0].before == "_orig_mod.layers.0");
  CHECK(steps[0].after == "layers.0");
  CHECK(run.rename("layers.0", &outcome) == "blocks.0");
  CHECK_FALSE(outcome.stripped_wrappers);
}

TEST_CASE("a save cannot strip wrappers") {
  RenamingOptions options;
  options.direction = Direction::save;
  options.strip_wrappers = true;
  CHECK(error_text([&] { Renaming(renaming_of("a", "b"), options); }) ==
        "wrapper names can only be stripped on load; a save cannot put them back");
}
