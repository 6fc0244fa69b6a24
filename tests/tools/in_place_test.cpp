#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <regex>

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

// The new names fit into the old headers, so that the way is the same on every file system.
const std::vector<std::string> kInPlace = {"convert", "--in-place", "sample", "--remove-prefix",
                                           "language_model"};

std::vector<std::string> with(std::vector<std::string> line, const std::vector<std::string>& more) {
  line.insert(line.end(), more.begin(), more.end());
  return line;
}

// How many bytes the receipt has is its own affair.
std::string without_space(const std::string& text) {
  static const std::regex kText(R"([0-9.]+ [kMG]?B needed for a while)"), kJson(R"("needed_bytes":[0-9]+)");
  return std::regex_replace(std::regex_replace(text, kText, "SPACE needed for a while"), kJson,
                            "\"needed_bytes\":SPACE");
}

}  // namespace

TEST_CASE("convert --in-place tells what it will do and what it did, and verify agrees") {
  InSampleFolder folder;
  fs::copy("sample", "before");
  check_golden("in-place",
               without_space(transcripts({with(kInPlace, {"--dry-run"}),
                                          kInPlace,
                                          {"verify", "before", "sample"},
                                          {"inspect", "sample"},
                                          {"convert", "--in-place", "sample", "--rename", "nowhere=>a"}})));
}

TEST_CASE("convert --in-place --json follows keyshift-plan/1 and keyshift-convert/1") {
  InSampleFolder folder;
  check_golden("in-place-json", without_space(transcripts({with(kInPlace, {"--dry-run", "--json"}),
                                                           with(kInPlace, {"--json"}),
                                                           {"recover", "sample", "--json"}})));
}

TEST_CASE("convert --in-place goes with one path only") {
  InSampleFolder folder;
  check_golden("in-place-usage", transcripts({with(kInPlace, {"new"}),
                                              with(kInPlace, {"--force"}),
                                              with(kInPlace, {"--receipt", "r.json"}),
                                              with(kInPlace, {"--layout", "canonical"}),
                                              with(kInPlace, {"--max-shard-size", "1GB"}),
                                              with(kInPlace, {"--drop", "vision"}),
                                              with(kInPlace, {"--keep", "vision"}),
                                              {"convert", "sample"}}));
}

TEST_CASE("a save in place goes back by the receipt to the same bytes") {
  InSampleFolder folder;
  fs::copy("sample", "before");
  REQUIRE(run_command({"convert", "--in-place", "sample", "--rename", "^language_model=>lm"}).code == 0);
  REQUIRE(run_command({"convert", "--in-place", "sample", "--direction", "save"}).code == 0);
  for (const auto& entry : fs::directory_iterator("before"))
    CHECK((read_file(entry.path()) == read_file(fs::path("sample") / entry.path().filename())));
}

TEST_CASE("with nothing to recover, recover says so; a damaged journal is named by every command") {
  InSampleFolder folder;
  std::string all = transcript({"recover", "sample"});
  std::ofstream("sample/.keyshift-journal-tmp") << "half";
  all += transcript({"recover", "sample"});
  std::ofstream("sample/.keyshift-journal") << "garbage";
  for (const char* command : {"inspect", "roundtrip", "recover"}) all += transcript({command, "sample"});
  all += transcript({"convert", "sample", "new"});
  all += transcript(kInPlace);
  all += transcript({"verify", "sample", "sample"});
  all += transcript({"recover", "nowhere"});
  check_golden("recover", all);
}
