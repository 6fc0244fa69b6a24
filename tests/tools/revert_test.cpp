#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "support/temporary_folder.h"
#include "tools/golden.h"

namespace fs = std::filesystem;
using keyshift::test::check_golden;
using keyshift::test::InSampleFolder;
using keyshift::test::read_file;
using keyshift::test::run_command;
using keyshift::test::transcript;
using keyshift::test::transcripts;

namespace {

const std::vector<std::string> kConvert = {"convert", "sample", "new", "--transforms",
                                           "sample/transforms.json"};

}  // namespace

TEST_CASE("revert tells what came back, and it is the original") {
  InSampleFolder folder;
  REQUIRE(run_command(kConvert).code == 0);
  check_golden("revert",
               transcripts({{"revert", "new", "back"}, {"revert", "new", "back", "--force", "--json"}}));
  for (const auto& entry : fs::directory_iterator("sample"))
    CHECK((read_file(entry.path()) == read_file(fs::path("back") / entry.path().filename())));
  CHECK(run_command({"revert", "new", "quiet", "-q"}).out.empty());
}

TEST_CASE("revert takes a receipt from another place, and says what it cannot do without one") {
  InSampleFolder folder;
  REQUIRE(run_command(kConvert).code == 0);
  fs::rename("new/keyshift-receipt.json", "kept.json");
  check_golden("revert-receipt", transcripts({{"revert", "new", "back"},
                                              {"revert", "new", "back", "--receipt", "nowhere.json"},
                                              {"revert", "new", "back", "--receipt", "kept.json"},
                                              {"revert", "sample", "other", "--receipt", "kept.json"}}));
}
