#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "tools/command.h"
#include "tools/golden.h"
#include "tools/program.h"

using keyshift::test::check_golden;
using keyshift::test::InSampleFolder;
using keyshift::test::Ran;
using keyshift::test::run_command;
using keyshift::test::transcript;
using keyshift::test::transcripts;

namespace {

// An output that fails in one way.
class Broken : public keyshift::tools::Output {
 public:
  explicit Broken(bool reader_gone) : reader_gone_(reader_gone) {}
  void write(std::string_view) override {
    if (reader_gone_) throw keyshift::tools::ReaderGone{};
    throw keyshift::io_error("cannot write to standard output", ENOSPC);
  }

 private:
  bool reader_gone_;
};

class Kept : public keyshift::tools::Output {
 public:
  void write(std::string_view text) override { text_ += text; }
  std::string text_;
};

class NoInput : public keyshift::tools::Input {
 public:
  std::size_t read(std::span<char>) override { return 0; }
};

class OneKey : public keyshift::tools::Input {
 public:
  std::size_t read(std::span<char> room) override {
    if (given_) return 0;
    given_ = true;
    room[0] = 'a';
    return 1;
  }

 private:
  bool given_ = false;
};

Ran run_into(keyshift::tools::Output& out, const std::vector<std::string>& arguments,
             const keyshift::Interrupt& interrupt = {}) {
  OneKey in;
  Kept err;
  keyshift::tools::Console console{in, out, err, interrupt};
  const int code = keyshift::tools::run(arguments, console);
  return {code, {}, err.text_};
}

}  // namespace

TEST_CASE("the help lists all commands, and each has one of its own with an example") {
  std::string all = transcripts({{"--help"}, {}});
  for (const auto& command : keyshift::tools::commands()) {
    CHECK(command.examples.starts_with("  "));
    CHECK(command.examples.ends_with("\n"));
    all += transcript({std::string(command.name), "--help"}) + '\n';
  }
  check_golden("help", all);
}

TEST_CASE("the version is the project's") { check_golden("version", transcripts({{"--version"}})); }

TEST_CASE("wrong usage exits 2 and says where to look") {
  InSampleFolder folder;
  check_golden("usage", transcripts({{"frobnicate"},
                                     {"--frobnicate"},
                                     {"inspect"},
                                     {"inspect", "sample", "too-many"},
                                     {"inspect", "sample", "--colour"},
                                     {"inspect", "sample", "-x"},
                                     {"inspect", "sample", "--keys", "--json"},
                                     {"inspect", "sample", "--variant"},
                                     {"inspect", "sample", "--jobs", "0"},
                                     {"inspect", "sample", "--jobs", "many"},
                                     {"inspect", "sample", "--jobs", "1", "--jobs", "2"},
                                     {"convert", "sample"},
                                     {"convert", "sample", "new", "--progress", "sometimes"},
                                     {"rename", "--rename", "no arrow"},
                                     {"rename", "--rename="},
                                     {"rename", "--add-prefix", "a*"},
                                     {"rename", "--used", "all"},
                                     {"rename", "--direction", "sideways"},
                                     {"rename", "--direction", "save", "--strip-wrappers"},
                                     {"rename", "--direction", "save", "--target", "sample"}}));
}

TEST_CASE("bad input exits 3") {
  InSampleFolder folder;
  std::ofstream("rules.json")
      << R"([{"type": "WeightRenaming", "source_patterns": "(", "target_patterns": "a"}])";
  check_golden("bad-input", transcripts({{"inspect", "nowhere"},
                                         {"inspect", "sample/config.json"},
                                         {"rename", "--transforms", "nowhere.json"},
                                         {"rename", "--transforms", "rules.json"},
                                         {"rename", "--direction", "save", "--used", "nowhere.json"},
                                         {"verify", "sample", "nowhere"},
                                         {"roundtrip", "nowhere"},
                                         {"convert", "nowhere", "new"}}));
}

TEST_CASE("an answer that cannot be written exits 4") {
  InSampleFolder folder;
  Broken full(false);
  for (const std::vector<std::string>& line :
       {std::vector<std::string>{"inspect", "sample"}, {"rename"}, {"rename", "--json"}, {"--help"}}) {
    if (line.back() == "--json") continue;  // its input is no JSON
    const Ran ran = run_into(full, line);
    CHECK(ran.code == 4);
    CHECK(ran.err == "keyshift: error: cannot write to standard output: No space left on device\n");
  }
}

TEST_CASE("a summary that cannot be written says that the output is there all the same") {
  InSampleFolder folder;
  Broken full(false);
  const Ran ran = run_into(full, {"convert", "sample", "new", "--transforms", "sample/transforms.json"});
  CHECK(ran.code == 4);
  CHECK(ran.err ==
        "keyshift: error: new: was published, but its summary is lost: cannot write to standard output: No "
        "space left "
        "on device\n");
  CHECK(run_command({"verify", "sample", "new"}).code == 0);
}

TEST_CASE("a reader that has gone is no news, and the answer stays what it is") {
  InSampleFolder folder;
  Broken gone(true);
  CHECK(run_into(gone, {"inspect", "sample"}).code == 0);
  CHECK(run_into(gone, {"verify", "sample", "sample", "--add-prefix", "model"}).code == 1);
  const Ran renamed = run_into(gone, {"rename"});  // a stream that is cut off is not whole
  CHECK(renamed.code == 4);
  CHECK(renamed.err.empty());
}

TEST_CASE("an interrupted run exits 130 and leaves nothing behind") {
  InSampleFolder folder;
  keyshift::Interrupt interrupt;
  interrupt.request();
  Kept out;
  const Ran ran = run_into(out, {"convert", "sample", "new", "--add-prefix", "model"}, interrupt);
  CHECK(ran.code == 130);
  CHECK(ran.err == "keyshift: error: interrupted; nothing was published\n");
  CHECK(out.text_.empty());
  CHECK(std::distance(std::filesystem::directory_iterator("."), {}) == 1);  // sample alone
  CHECK(run_into(out, {"rename"}, interrupt).code == 130);
  CHECK(run_into(out, {"sample", "other"}, interrupt).code == 130);
  CHECK(std::distance(std::filesystem::directory_iterator("."), {}) == 1);
}
