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

std::vector<std::string> with(std::vector<std::string> line, const std::vector<std::string>& more) {
  line.insert(line.end(), more.begin(), more.end());
  return line;
}

std::size_t entries(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), {}));
}

}  // namespace

TEST_CASE("convert tells what it did, and verify agrees") {
  InSampleFolder folder;
  check_golden("convert", transcripts({kConvert, {"verify", "sample", "new"}, {"inspect", "new"}}));
}

TEST_CASE("convert --json follows keyshift-convert/1") {
  InSampleFolder folder;
  check_golden("convert-json", transcript(with(kConvert, {"--json"})));
}

TEST_CASE("convert --quiet says nothing") {
  InSampleFolder folder;
  const auto ran = run_command(with(kConvert, {"-q"}));
  CHECK(ran.code == 0);
  CHECK(ran.out.empty());
  CHECK(ran.err.empty());
  CHECK(fs::exists("new/keyshift-receipt.json"));
}

TEST_CASE("a dry run shows the plan and writes nothing") {
  InSampleFolder folder;
  check_golden("convert-dry-run", transcript(with(kConvert, {"--dry-run"})));
  check_golden("convert-dry-run-json", transcript(with(kConvert, {"--dry-run", "--json"})));
  CHECK(entries(".") == 1);
}

TEST_CASE(
    "plan shows the same as convert --dry-run, and a forced way that cannot be gone is refused in both") {
  InSampleFolder folder;
  const std::vector<std::string> plan = {"plan", "sample", "new", "--transforms", "sample/transforms.json"};
  const auto answer = [](const std::vector<std::string>& line) {  // without the command line
    const std::string text = transcript(line);
    return text.substr(text.find('\n'));
  };
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{}, {"--json"}, {"--digests", "never", "--copy", "stream"}}) {
    CHECK((answer(with(plan, more)) == answer(with(with(kConvert, more), {"--dry-run"}))));
  }
  const std::vector<std::string> canonical = {"--layout", "canonical", "--copy", "reflink"};
  const auto refused = run_command(with(plan, canonical));
  CHECK(refused.code == 2);
  CHECK(refused.err.find("--copy reflink cannot be done: ") != std::string::npos);
  CHECK(run_command(with(kConvert, canonical)).err == refused.err);
  CHECK(entries(".") == 1);
}

TEST_CASE("a save goes back by the receipt beside the source, to the same bytes") {
  InSampleFolder folder;
  REQUIRE(run_command(kConvert).code == 0);
  check_golden("convert-save", transcript({"convert", "new", "back", "--direction", "save"}));
  for (const auto& entry : fs::directory_iterator("sample")) {
    const fs::path there = fs::path("back") / entry.path().filename();
    INFO(there.string());
    CHECK((read_file(entry.path()) == read_file(there)));
  }
}

TEST_CASE("a receipt that does not fit what is asked is refused") {
  InSampleFolder folder;
  REQUIRE(run_command(kConvert).code == 0);
  REQUIRE(run_command({"convert", "new", "back", "--direction", "save"}).code == 0);
  std::string all = transcript({"convert", "new", "other", "--direction", "save", "--rename", "a=>b"});
  all += transcript({"convert", "back", "other", "--direction", "save"});
  all += transcript({"rename", "--direction", "save", "--used", "new/keyshift-receipt.json"});
  check_golden("convert-receipt", all);
  CHECK(entries(".") == 3);
}

TEST_CASE("transforms that match nothing, or none at all, are a warning") {
  InSampleFolder folder;
  check_golden(
      "convert-warnings",
      transcripts({{"convert", "sample", "new", "--rename", "nowhere=>a", "--rename", "^language_model=>lm"},
                   {"convert", "sample", "same"},
                   {"convert", "sample", "same2", "--dry-run"}}));
}

TEST_CASE("what cannot be converted is refused, and nothing appears") {
  InSampleFolder folder;
  std::ofstream("experts.json")
      << R"([{"type": "WeightConverter", "source_patterns": ["layers.*.mlp.down_proj.weight"],
     "target_patterns": ["layers.down_proj"], "operations": [{"type": "MergeModulelist", "dim": 0}]}])";
  fs::create_directory("full");
  std::ofstream("full/notes.txt") << "mine";
  std::string all = transcript({"convert", "sample", "new", "--rename", "layers\\.\\d=>layers"});
  all += transcript({"convert", "sample", "new", "--rename", "^language_model.lm_head.weight=>__metadata__"});
  all += transcript({"convert", "sample", "new", "--rename", "^language_model.lm_head.weight=>"});
  all += transcript({"convert", "sample", "new", "--transforms", "experts.json"});
  all += transcript({"convert", "sample", "sample"});
  all += transcript({"convert", "sample", "sample/inside"});
  all += transcript({"convert", "sample", "full"});
  all += transcript({"convert", "sample", "nowhere/new"});
  // Where a folder lies differs from run to run.
  const std::string here = fs::current_path().string();
  for (std::size_t at = all.find(here); at != std::string::npos; at = all.find(here, at))
    all.replace(at, here.size(), "HERE");
  check_golden("convert-refused", all);
  CHECK(entries(".") == 3);
  CHECK(entries("full") == 1);
}

TEST_CASE("--force replaces a checkpoint and nothing else") {
  InSampleFolder folder;
  REQUIRE(run_command(kConvert).code == 0);
  CHECK(run_command(kConvert).code == 2);
  CHECK(run_command(with(kConvert, {"--force"})).code == 0);
  CHECK(run_command({"verify", "sample", "new"}).code == 0);
  fs::create_directory("new/.git");
  std::ofstream("new/.git/HEAD") << "mine";
  CHECK(run_command(with(kConvert, {"--force"})).code == 2);
  CHECK(fs::exists("new/.git/HEAD"));
}

TEST_CASE("one file becomes one file, with its receipt beside it") {
  InSampleFolder folder;
  check_golden("convert-file",
               transcripts({{"convert", "sample/model-00003-of-00003.safetensors", "one.safetensors",
                             "--remove-prefix", "language_model"},
                            {"verify", "sample/model-00003-of-00003.safetensors", "one.safetensors"}}));
  CHECK(fs::exists("one.keyshift-receipt.json"));
}

TEST_CASE("convert reports missing and unexpected keys of the target") {
  InSampleFolder folder;
  std::ofstream("target.json") << R"(["lm_head.weight", "other"])";
  const auto planned = run_command(with(kConvert, {"--target", "target.json", "--dry-run"}));
  CHECK(planned.code == 0);
  CHECK(planned.err.find("missing, the target expects: 1 key\n  other\n") != std::string::npos);
  const auto done = run_command(with(kConvert, {"--target", "target.json"}));
  CHECK(done.code == 0);
  CHECK(done.err == planned.err);
}

TEST_CASE("the sample refuses a folder that holds something") {
  InSampleFolder folder;
  check_golden(
      "sample",
      transcripts({{"sample", "demo"}, {"sample", "demo"}, {"sample", "no/where"}, {"sample", "it's new"}}));
  for (const auto& entry : fs::directory_iterator("sample")) {
    CHECK((read_file(entry.path()) == read_file(fs::path("demo") / entry.path().filename())));
  }
}
