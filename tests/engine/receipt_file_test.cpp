#include "engine/receipt_file.h"

#include <doctest/doctest.h>

#include "engine/rewrite.h"
#include "receipt/receipt.h"
#include "support/counting_progress.h"
#include "support/error_text.h"
#include "support/sample_checkpoint.h"
#include "transforms/transform_file.h"

using namespace keyshift;
using namespace keyshift::test;
namespace fs = std::filesystem;

namespace {

RewriteRequest request_for(const TemporaryFolder& folder, const fs::path& receipt) {
  RewriteRequest request;
  request.plan.source = folder / "source";
  request.plan.transforms.transforms.push_back(parse_rename_option("^model=>backbone"));
  request.destination = folder / "out";
  request.receipt.place = receipt;
  return request;
}

RewriteResult run(const RewriteRequest& request) {
  CountingProgress progress;
  return rewrite(request, progress, Interrupt());
}

std::string failure(const RewriteRequest& request) {
  return error_text([&] { run(request); });
}

std::size_t entries(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), {}));
}

}  // namespace

TEST_CASE("a receipt with a place of its own is there, and none lies in the output") {
  const TemporaryFolder folder;
  write_sample(folder);
  const RewriteResult result = run(request_for(folder, folder / "r.json"));
  CHECK(result.receipt_name == (folder / "r.json").string());
  CHECK(digest_of(read_file(folder / "r.json")) == result.receipt_digest);
  CHECK(read_receipt(folder / "r.json").tensors.size() == 4);
  CHECK_FALSE(fs::exists(folder / "out" / kReceiptName));
  CHECK(entries(folder.path()) == 3);
}

TEST_CASE("no receipt is written where none is wanted") {
  const TemporaryFolder folder;
  write_sample(folder);
  RewriteRequest request = request_for(folder, {});
  request.receipt = {false, {}};
  CHECK(run(request).receipt_name.empty());
  CHECK_FALSE(fs::exists(folder / "out" / kReceiptName));
  CHECK(fs::exists(folder / "out" / kIndex));
}

TEST_CASE("a receipt that is there gives way to --force only") {
  const TemporaryFolder folder;
  write_sample(folder);
  folder.write("r.json", "old");
  RewriteRequest request = request_for(folder, folder / "r.json");
  CHECK(failure(request) == (folder / "r.json").string() +
                                ": exists; choose another name for the receipt, or --force to replace it");
  CHECK(read_file(folder / "r.json") == "old");
  CHECK_FALSE(fs::exists(folder / "out"));
  request.force = true;
  run(request);
  CHECK(read_receipt(folder / "r.json").tensors.size() == 4);
}

TEST_CASE("places in the source, in the output, or nowhere are refused, and nothing appears") {
  const TemporaryFolder folder;
  write_sample(folder);
  const auto refused = [&](const fs::path& place, const std::string& why) {
    CHECK(failure(request_for(folder, place)) == place.string() + ": " + why);
  };
  refused(folder / "source/r.json", "lies in the source, which is never written to; name another place");
  refused(folder / "out/r.json",
          "lies in the destination, where the receipt goes without --receipt anyway; leave the option away, "
          "or name "
          "another place");
  refused(folder / "no/r.json", "its folder does not exist; make it first");
  refused(folder.path(), "is a folder; name a file");
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE("a receipt is taken away again where the output does not appear") {
  const TemporaryFolder folder;
  const CheckpointPlace source = find_checkpoint(write_sample(folder));
  {
    ReceiptFile file = ReceiptFile::prepare(folder / "r.json", source, folder / "out", false);
    CHECK(file.write(std::string_view("{}")) == digest_of(std::string_view("{}")));
    CHECK_FALSE(fs::exists(folder / "r.json"));
  }
  CHECK(entries(folder.path()) == 1);
  {
    ReceiptFile file = ReceiptFile::prepare(folder / "r.json", source, folder / "out", false);
    file.write(std::string_view("{}"));
    file.publish();
    CHECK(read_file(folder / "r.json") == "{}");
  }
  CHECK(entries(folder.path()) == 1);
  ReceiptFile file = ReceiptFile::prepare(folder / "r.json", source, folder / "out", false);
  file.write(std::string_view("{}"));
  file.publish();
  file.keep();
  CHECK(entries(folder.path()) == 2);
}
