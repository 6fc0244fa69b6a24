#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <fstream>

#include "support/error_text.h"
#include "support/temporary_folder.h"
#include "tools/commands/batch_list.h"
#include "tools/commands/batch_run.h"
#include "tools/golden.h"

namespace fs = std::filesystem;
using namespace keyshift::test;
using namespace keyshift::tools;

namespace {

std::string refusal(std::string_view text, BatchKind kind = BatchKind::copies) {
  return error_text([&] { refuse_conflicts(parse_batch(text, "list", kind), text, "list", kind); });
}

void write(const fs::path& path, std::string_view text) { std::ofstream(path, std::ios::binary) << text; }

}  // namespace

TEST_CASE("a list holds fields between tabs, JSON objects, comments and empty lines") {
  const auto lines = parse_batch(
      "# many\na\tb\n\n{\"destination\":\"d\",\"source\":\"c\\td\"}\ne\tf\tt.json\n"
      "{\"source\":\"g\",\"destination\":\"h\",\"transforms\":[\"1\",\"2\"]}",
      "list", BatchKind::copies);
  REQUIRE(lines.size() == 4);
  CHECK(lines[0].number == 2);
  CHECK(lines[0].source == "a");
  CHECK(lines[0].destination == "b");
  CHECK(lines[1].number == 4);
  CHECK(lines[1].source == "c\td");
  CHECK(lines[2].transforms == std::vector<std::string>{"t.json"});
  CHECK(lines[3].transforms == std::vector<std::string>{"1", "2"});
}

TEST_CASE("a list that cannot be meant is refused at its place") {
  CHECK(refusal("\n# nothing\n") == "list: holds no line with a SRC and a DST");
  CHECK(refusal("a\tb\na b\n") ==
        "list:2:1: expected SRC, a tab, DST, and perhaps a tab and a transform file; paths with tabs need a "
        "JSON line\n2 | a b\n  | ^");
  CHECK(refusal("a\t\tt\n") == "list:1:3: a field is empty\n1 | a\\x09\\x09t\n  |      ^");
  CHECK(refusal("a\tb\r\n") ==
        "list:1:4: the line ends in CR LF; take the CR away (tr -d '\\r')\n1 | a\\x09b\\x0d\n  |       ^");
  CHECK(refusal("{\"source\":\"a\"}") ==
        "list:1:1: the \"destination\" is missing\n1 | {\"source\":\"a\"}\n  | ^");
  CHECK(refusal("{\"source\":\"a\",\"source\":\"b\"}") ==
        "list:1:15: \"source\" is given twice\n1 | {\"source\":\"a\",\"source\":\"b\"}\n  |               ^");
  CHECK(refusal("{\"src\":\"a\"}") ==
        "list:1:2: unknown field \"src\"; known are \"source\", \"destination\", \"transforms\"\n"
        "1 | {\"src\":\"a\"}\n  |  ^");
  CHECK(refusal("{\"source\":1}") ==
        "list:1:11: expected a string, found a number\n1 | {\"source\":1}\n  |           ^");
  CHECK(refusal("a\tb\n{\"source\":\n").starts_with("list"));
}

TEST_CASE("lines that would get into each other's way are refused, whatever the spelling of paths") {
  CHECK(refusal("a\tx\nb\t./y/../x/\n").starts_with("list:2:1: has the same DST as line 1\n"));
  CHECK(refusal("a\tx\nb\tx/y\n").starts_with("list:2:1: its DST is inside the DST of line 1\n"));
  CHECK(refusal("a\tb\nb\tc\n").starts_with("list:1:1: its DST is, or is inside, the SRC of line 2\n"));
  CHECK(refusal("a\tb/c\nb\tx\n").starts_with("list:1:1: its DST is, or is inside, the SRC of line 2\n"));
  CHECK(
      refusal("a\tx\nx/y\tz\n")
          .starts_with("list:2:1: its SRC is inside the DST of line 1; what builds on another line's result "
                       "belongs in a second batch\n"));
  CHECK(refusal("a\tx\na\ty\nb\txy\n") == "no error");  // one SRC for two
}

TEST_CASE("in place a line is a path, and no two may meet") {
  const auto lines = parse_batch("a\nb\tt.json\n{\"source\":\"c\"}\n", "list", BatchKind::in_place);
  REQUIRE(lines.size() == 3);
  CHECK(lines[1].source == "b");
  CHECK(lines[1].destination == "b");
  CHECK(lines[1].transforms == std::vector<std::string>{"t.json"});
  CHECK(lines[2].source == "c");
  const auto refused = [](std::string_view text) { return refusal(text, BatchKind::in_place); };
  CHECK(refused("a\n./a\n").starts_with("list:2:1: has the same PATH as line 1\n"));
  CHECK(refused("a/b.safetensors\na\n").starts_with("list:1:1: its PATH is inside the PATH of line 2\n"));
  CHECK(refused("a\tb\tc\n").starts_with("list:1:1: expected PATH, and perhaps a tab and a transform file;"));
  CHECK(refused("#\n") == "list: holds no line with a PATH");
  CHECK(refused("a\nab\n") == "no error");
}

TEST_CASE("threads of all that run at once stay within the budget, and the last ones share what is left") {
  for (const unsigned jobs : {1U, 3U, 8U}) {
    for (const std::size_t count : {1UL, 2UL, 40UL}) {
      std::atomic<unsigned> now{0}, most{0}, done{0};
      run_within_budget(
          count, jobs, [](std::size_t) { return 100U; },
          [&](std::size_t, unsigned threads) {
            const unsigned sum = now += threads;
            unsigned seen = most;
            while (seen < sum && !most.compare_exchange_weak(seen, sum)) {
            }
            done += 1;
            now -= threads;
          });
      CHECK(done == count);
      CHECK(most <= jobs);
      if (count == 1) CHECK(most == jobs);
    }
  }
}

TEST_CASE("a batch converts what it can, reports what it cannot, and exits 1") {
  InSampleFolder folder;
  write("list.tsv", "sample\tone\nnowhere\ttwo\nsample\tthree.safetensors\tsample/transforms.json\n");
  check_golden("batch", transcripts({{"batch", "list.tsv", "--jobs", "1", "--strip-wrappers", "--dry-run"},
                                     {"batch", "list.tsv", "--jobs", "1", "--strip-wrappers"},
                                     {"batch", "list.tsv", "--jobs", "1", "--strip-wrappers", "--resume"},
                                     {"batch", "list.tsv", "--strip-wrappers", "--resume", "--task-index",
                                      "1", "--task-count", "3"},
                                     {"batch", "list.tsv", "--task-index", "3", "--task-count", "3"},
                                     {"batch", "nolist"}}));
}

TEST_CASE("a batch as JSON is a line for each checkpoint and a summary") {
  InSampleFolder folder;
  write("list.jsonl",
        "{\"source\":\"sample\",\"destination\":\"one\"}\n{\"source\":\"no\",\"destination\":\"two\"}\n");
  check_golden(
      "batch-json",
      transcripts({{"batch", "list.jsonl", "--jobs", "1", "--json", "--add-prefix", "m"},
                   {"batch", "list.jsonl", "--jobs", "1", "--json", "--add-prefix", "m", "--resume"}}));
}

TEST_CASE("what is done is recognised by receipt and digests, not by being there") {
  InSampleFolder folder;
  const std::vector<std::string> again = {"batch", "-", "--add-prefix", "m", "--resume"};
  const std::string list = "sample\tone\n";
  REQUIRE(run_command(again, list).code == 0);
  const std::string shard = "one/model-00002-of-00003.safetensors";
  const std::string good = read_file(shard);
  const auto said = [&](const std::vector<std::string>& arguments) {
    return run_command(arguments, list).err;
  };
  CHECK(run_command(again, list).out.starts_with("already    sample → one"));

  std::string bad = good;
  bad.back() = static_cast<char>(bad.back() ^ 1);
  write(shard, bad);
  CHECK(said(again) ==
        "keyshift: error: line 1: one: \"model-00002-of-00003.safetensors\" is not what its receipt says; "
        "choose another destination, or --force to replace it\n");
  fs::remove(shard);
  CHECK(said(again) ==
        "keyshift: error: line 1: one: lacks \"model-00002-of-00003.safetensors\"; choose another "
        "destination, or "
        "--force to replace it\n");
  write(shard, good);
  CHECK(run_command(again, list).code == 0);

  CHECK(said({"batch", "-", "--add-prefix", "n", "--resume"}) ==
        "keyshift: error: line 1: one: was made from another source or with other options, as its receipt "
        "says; "
        "choose another destination, or --force to replace it\n");
  write("one/config.json", "{}");
  CHECK(said(again) ==
        "keyshift: error: line 1: one: \"config.json\" is not what its receipt says; choose another "
        "destination, "
        "or --force to replace it\n");
  CHECK(run_command({"batch", "-", "--add-prefix", "m", "--resume", "--force"}, list)
            .out.starts_with("converted"));

  const std::string source = "sample/model-00003-of-00003.safetensors";
  std::string other = read_file(source);
  other.back() = static_cast<char>(other.back() ^ 1);
  write(source, other);  // the same header, newer than the receipt
  CHECK(said(again) ==
        "keyshift: error: line 1: one: holds other bytes in \"model-00003-of-00003.safetensors\" than the "
        "source "
        "now has; choose another destination, or --force to replace it\n");
  write("one/keyshift-receipt.json", "{}");
  CHECK(said(again) ==
        "keyshift: error: line 1: one: has a receipt that cannot be trusted; choose another destination, or "
        "--force "
        "to replace it\n");
  fs::remove("one/keyshift-receipt.json");
  CHECK(
      said(again) ==
      "keyshift: error: line 1: one: has no receipt; choose another destination, or --force to replace it\n");
}

TEST_CASE("a batch that is run again with --resume writes nothing") {
  InSampleFolder folder;
  write("list.tsv", "sample\tone\nsample\ttwo.safetensors\n");
  REQUIRE(run_command({"batch", "list.tsv", "--add-prefix", "m"}).code == 0);
  const auto times = [] {
    std::vector<fs::file_time_type> all;
    for (const auto& entry : fs::recursive_directory_iterator(".")) all.push_back(entry.last_write_time());
    return all;
  };
  const auto before = times();
  CHECK(run_command({"batch", "list.tsv", "--add-prefix", "m", "--resume"}).code == 0);
  CHECK(times() == before);
}

TEST_CASE("a batch in place changes files once, however often it is run with --resume") {
  InSampleFolder folder;
  fs::copy("sample", "other", fs::copy_options::recursive);
  fs::remove("sample/transforms.json");
  write("list.tsv", "sample\nother\tother/transforms.json\nnowhere\n");
  check_golden(
      "batch-in-place",
      transcripts({{"batch", "list.tsv", "--jobs", "1", "--in-place", "--add-prefix", "m", "--dry-run"},
                   {"batch", "list.tsv", "--jobs", "1", "--in-place", "--add-prefix", "m", "--resume"},
                   {"batch", "list.tsv", "--jobs", "1", "--in-place", "--add-prefix", "m", "--resume"},
                   {"batch", "list.tsv", "--in-place", "--force"}}));
  write("sample/config.json", "{}");
  CHECK(run_command({"batch", "-", "--in-place", "--add-prefix", "m", "--resume"}, "sample\n").err ==
        "keyshift: error: line 1: sample/config.json: is not what the receipt of a conversion in place says; "
        "revert "
        "or mend it first\n");
}
