#include <doctest/doctest.h>

#include <fstream>
#include <regex>

#include "base/json.h"
#include "tools/golden.h"

using keyshift::test::check_golden;
using keyshift::test::InSampleFolder;
using keyshift::test::Ran;
using keyshift::test::run_command;
using keyshift::test::transcripts;

TEST_CASE("bench tells keys, transforms, shapes and three rates") {
  InSampleFolder folder;
  const Ran ran = run_command({"bench", "sample", "--transforms", "sample/transforms.json", "--json"});
  CHECK(ran.code == 0);
  CHECK(ran.err.empty());
  const keyshift::json::Node answer = keyshift::json::parse(ran.out, {});
  CHECK(answer.find("schema")->text == "keyshift-bench/1");
  CHECK(answer.find("keys")->text == "60");
  CHECK(answer.find("transforms")->text == "4");
  CHECK(std::stoul(answer.find("shapes")->text) > 0);
  REQUIRE(answer.find("keys_per_second")->members.size() == 3);
  for (const auto& [name, rate] : answer.find("keys_per_second")->members)
    CHECK_MESSAGE(std::stoull(rate.text) > 0, name);
}

TEST_CASE("bench takes the keys of a file, and reads well") {
  InSampleFolder folder;
  std::ofstream("keys.txt") << "model.layers.0.w\nmodel.layers.1.w\nmodel.norm\n";
  const Ran ran = run_command({"bench", "--keys", "keys.txt", "--rename", "^model=>m"});
  CHECK(ran.code == 0);
  CHECK(std::regex_replace(ran.out, std::regex(" +[0-9.,]+( million)? keys/s"), " RATE") ==
        "3 keys of 2 shapes, 1 transform; one core, first pass included, every byte written\n"
        "  trie RATE\n"
        "  trie, keys shuffled RATE\n"
        "  one after another RATE\n"
        "the answers were compared key by key first: the same\n");
}

TEST_CASE("bench refuses to guess what to rename") {
  InSampleFolder folder;
  std::ofstream("none.txt") << "";
  std::ofstream("tab.txt") << "a\nb\tc\n";
  check_golden("bench-refused", transcripts({{"bench"},
                                             {"bench", "sample", "--keys", "none.txt"},
                                             {"bench", "--keys", "none.txt"},
                                             {"bench", "--keys", "tab.txt"},
                                             {"bench", "--keys", "nowhere.txt"}}));
}
