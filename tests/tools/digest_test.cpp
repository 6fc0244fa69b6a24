#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "support/temporary_folder.h"
#include "tools/golden.h"

namespace fs = std::filesystem;
using keyshift::test::check_golden;
using keyshift::test::InSampleFolder;
using keyshift::test::run_command;
using keyshift::test::transcript;
using keyshift::test::transcripts;

namespace {

void write(const fs::path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

}  // namespace

TEST_CASE("digest writes lines, JSON and statements") {
  InSampleFolder folder;
  check_golden("digest",
               transcripts({{"digest", "sample"},
                            {"digest", "sample", "--sha256"},
                            {"digest", "sample", "--statement", "files"},
                            {"digest", "sample/model-00003-of-00003.safetensors"},
                            {"digest", "sample/model-00003-of-00003.safetensors", "--statement", "files"},
                            {"digest", "sample", "--json", "--statement", "files"}}));
  check_golden("digest-json",
               transcript({"digest", "sample/model-00003-of-00003.safetensors", "--json", "--sha256"}));
}

TEST_CASE("check says what differs, is missing or extra, and exits 1") {
  InSampleFolder folder;
  for (const std::vector<std::string>& how : std::vector<std::vector<std::string>>{
           {}, {"--sha256"}, {"--json"}, {"--statement", "files"}, {"--statement", "shards"}}) {
    std::vector<std::string> line = {"digest", "sample"};
    line.insert(line.end(), how.begin(), how.end());
    write("list", run_command(line).out);
    CHECK(run_command({"check", "list", "sample"}).code == 0);
  }
  write("sums", run_command({"digest", "sample"}).out);
  std::string all = transcript({"check", "sums", "sample"});
  write("sample/config.json", "{}");
  write("sample/new.txt", "new");
  fs::remove("sample/transforms.json");
  all += transcripts({{"check", "sums", "sample"},
                      {"check", "sums", "sample", "--allow-extra", "--json"},
                      {"check", "sums", "sample", "-q"},
                      {"check", "sums"},
                      {"check", "sums", "nowhere"},
                      {"check", "nothing"},
                      {"check", "sample"},
                      {"check", "sums", "sample", "--tensors"}});
  check_golden("check", all);
}

TEST_CASE("tensors are the same under other names, and a receipt is a manifest") {
  InSampleFolder folder;
  write("old.json", run_command({"digest", "sample", "--json"}).out);
  REQUIRE(run_command({"convert", "sample", "new", "--transforms", "sample/transforms.json"}).code == 0);
  std::string all =
      transcripts({{"check", "old.json", "new", "--tensors"}, {"check", "new/keyshift-receipt.json", "new"}});
  std::string bytes = keyshift::test::read_file("new/model-00002-of-00003.safetensors");
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write("new/model-00002-of-00003.safetensors", bytes);
  all +=
      transcripts({{"check", "old.json", "new", "--tensors"}, {"check", "new/keyshift-receipt.json", "new"}});
  check_golden("check-tensors", all);
}

TEST_CASE("convert --sha256 tells what sha256sum would, and check verifies it by the receipt") {
  InSampleFolder folder;
  const std::vector<std::string> line = {"convert", "sample", "new", "--transforms", "sample/transforms.json",
                                         "--sha256"};
  std::vector<std::string> never = line, as_json = line;
  never.insert(never.end(), {"--digests", "never"});
  as_json.emplace_back("--json");
  const std::string told = run_command(as_json).out;
  std::string all =
      transcripts({never, {"check", "new/keyshift-receipt.json", "new"}, {"digest", "new", "--sha256"}});
  const std::size_t lines = all.find("digest new --sha256\n") + 20;
  for (std::size_t at = lines; all.compare(at, 6, "[exit ") != 0; at = all.find('\n', at) + 1) {
    const bool is_receipt = all.substr(at + 66, 17) == "keyshift-receipt.";
    CHECK((told.find(all.substr(at, 64)) != std::string::npos) == !is_receipt);
  }
  check_golden("convert-sha256", all.substr(0, lines));
}
