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

TEST_CASE("convert puts its receipt where it is told, or writes none, and verify reads it there") {
  InSampleFolder folder;
  std::vector<std::string> elsewhere = kConvert, none = kConvert;
  elsewhere.insert(elsewhere.end(), {"--receipt", "kept.json"});
  none.at(2) = "bare";
  none.emplace_back("--no-receipt");
  std::vector<std::string> both = none;
  both.insert(both.end(), {"--receipt", "kept.json"});
  check_golden("convert-receipt-place",
               transcripts({elsewhere,
                            none,
                            both,
                            {"convert", "--in-place", "bare", "--no-receipt"},
                            {"verify", "sample", "new", "--receipt", "kept.json"},
                            {"verify", "sample", "new", "--receipt", "nowhere.json"},
                            {"verify", "sample", "new", "--receipt", "kept.json", "--rename", "a=>b"}}));
  CHECK(fs::exists("kept.json"));
  CHECK_FALSE(fs::exists("new/keyshift-receipt.json"));
  CHECK_FALSE(fs::exists("bare/keyshift-receipt.json"));
}

TEST_CASE("verify by a receipt asks for the target that the conversion was given") {
  InSampleFolder folder;
  std::ofstream("target.json") << R"(["model.lm_head.weight"])";
  std::ofstream("other.json") << R"(["other"])";
  REQUIRE(run_command({"convert", "sample", "new", "--add-prefix", "m", "--target", "target.json"}).code ==
          0);
  REQUIRE(run_command({"convert", "sample", "plain", "--add-prefix", "m"}).code == 0);
  check_golden("verify-target", transcripts({{"verify", "sample", "new"},
                                             {"verify", "sample", "new", "--target", "other.json"},
                                             {"verify", "sample", "new", "--target", "target.json"},
                                             {"verify", "sample", "plain", "--target", "target.json"}}));
}

TEST_CASE("revert --in-place tells what it wrote and removed") {
  InSampleFolder folder;
  fs::copy("sample", "new");
  REQUIRE(run_command({"convert", "--in-place", "new", "--transforms", "sample/transforms.json"}).code == 0);
  std::string all = transcripts({{"revert", "--in-place", "new", "out"},
                                 {"revert", "--in-place", "new", "--force"},
                                 {"revert", "new"},
                                 {"revert", "--in-place", "new"}});
  for (const auto& entry : fs::directory_iterator("sample"))
    CHECK((read_file(entry.path()) == read_file(fs::path("new") / entry.path().filename())));
  REQUIRE(run_command({"convert", "--in-place", "new", "--transforms", "sample/transforms.json"}).code == 0);
  all += transcripts({{"revert", "--in-place", "new", "--json"}, {"revert", "--in-place", "new"}});
  // How a header becomes shorter depends on the file system.
  for (const std::string way : {"collapse", "copy", "share"}) {
    const std::size_t at = all.find("\"way\":\"" + way);
    if (at != std::string::npos) all.replace(at + 7, way.size(), "WAY");
  }
  check_golden("revert-in-place", all);
}
