#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "support/temporary_folder.h"
#include "tools/golden.h"

namespace fs = std::filesystem;
using namespace keyshift::test;

namespace {

// The sample with a quantization that names its modules.
struct Quantized : InSampleFolder {
  std::string config = R"({
  "model_type": "llava",
  "quantization_config": {
    "quant_method": "compressed-tensors",
    "ignore": ["language_model.lm_head", "re:.*vision.*", "multi_modal_projector.linear_1", "nobody"],
    "config_groups": {"group_0": {"targets": ["Linear"]}}
  }
}
)";
  Quantized() { std::ofstream("sample/config.json") << config; }
};

const std::vector<std::string> kConvert = {
    "convert", "sample", "new", "--transforms", "sample/transforms.json", "--rewrite-config"};

std::vector<std::string> with(std::vector<std::string> line, const std::vector<std::string>& more) {
  line.insert(line.end(), more.begin(), more.end());
  return line;
}

}  // namespace

TEST_CASE(
    "with --rewrite-config module names follow, verify proves it, and revert brings the old file back") {
  Quantized folder;
  fs::copy("sample", "copy", fs::copy_options::recursive);
  fs::copy("sample", "third", fs::copy_options::recursive);
  check_golden(
      "rewrite-config",
      transcripts({with(kConvert, {"--dry-run"}),
                   kConvert,
                   {"verify", "sample", "new"},
                   {"verify", "sample", "new", "--transforms", "sample/transforms.json", "--rewrite-config"},
                   {"verify", "sample", "new", "--transforms", "sample/transforms.json"},
                   {"convert", "third", "json", "--rename", "^language_model=>lm", "--rewrite-config",
                    "--json", "--dry-run"}}));
  CHECK(read_file("new/config.json")
            .find("[\"lm_head\", \"re:.*vision.*\", \"model.multi_modal_projector.linear_1\"") !=
        std::string::npos);
  REQUIRE(run_command({"revert", "new", "back"}).code == 0);
  CHECK(read_file("back/config.json") == folder.config);

  REQUIRE(run_command(
              {"convert", "copy", "--in-place", "--transforms", "sample/transforms.json", "--rewrite-config"})
              .code == 0);
  CHECK(read_file("copy/config.json") == read_file("new/config.json"));
  CHECK(run_command({"verify", "sample", "copy"}).code == 0);
  CHECK(run_command({"check", "copy/keyshift-receipt.json", "copy"}).code == 0);
}

TEST_CASE("a batch with --rewrite-config knows what it has done") {
  Quantized folder;
  const std::vector<std::string> batch = {
      "batch", "-", "--transforms", "sample/transforms.json", "--rewrite-config", "--resume", "--json"};
  CHECK(run_command(batch, "sample\tnew\n")
            .out.find("\"changes\":[{\"where\":\"/quantization_config/ignore/0\"") != std::string::npos);
  CHECK(run_command(batch, "sample\tnew\n").out.find("\"status\":\"already\"") != std::string::npos);
  std::ofstream("sample/config.json") << "{}";
  CHECK(run_command(batch, "sample\tnew\n").out.find("\"status\":\"failed\"") != std::string::npos);
  std::ofstream("sample/config.json") << "no";
  CHECK(run_command(kConvert).err ==
        "keyshift: error: sample/config.json:1:1: is not JSON: null was expected\n1 | no\n  | ^\n");
}
