#include "compare/check.h"

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <span>

#include "compare/checkpoint_digests.h"
#include "support/error_text.h"
#include "support/sample_checkpoint.h"

using namespace keyshift;
using namespace keyshift::test;
namespace fs = std::filesystem;

namespace {

const std::function<void(std::uint64_t)> kNobody = [](std::uint64_t) {};

// A manifest of everything at `folder`, as lines.
std::string lines_of(const fs::path& folder) {
  const Checkpoint checkpoint = Checkpoint::open(folder);
  const auto files = files_of(checkpoint.place());
  const auto digests = digest_files(checkpoint, files, {}, 2, kNobody, Interrupt());
  std::string lines;
  for (std::size_t i = 0; i < files.size(); ++i) lines += manifest_line(digests[i].xxh3_128, files[i].name);
  return lines;
}

std::vector<std::string> check(const std::string& manifest, const fs::path& folder) {
  CheckRequest request;
  request.folder = folder;
  request.jobs = 2;
  std::uint64_t total = 0;
  std::atomic<std::uint64_t> seen{0};
  const CheckResult result = check_files(
      parse_manifest(manifest, "m"), request, [&](std::uint64_t bytes) { total = bytes; },
      [&](std::uint64_t bytes) { seen += bytes; }, Interrupt());
  CHECK(seen <= total);
  std::vector<std::string> told;
  for (const CheckFinding& finding : result.findings)
    told.push_back(finding.kind + " " + finding.file + ": " + finding.message);
  return told;
}

std::string xxh(const std::string& text) { return digest_of(std::string_view(text)).hex(); }

}  // namespace

TEST_CASE("files that are as the manifest says are no findings") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  CHECK(check(lines_of(source), source).empty());
}

TEST_CASE("a byte that changed in any file is found, and named") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  folder.write("source/keyshift-receipt.json", "{}");
  const std::string lines = lines_of(source);
  for (const std::string& name : {kFirstShard, kSecondShard, kIndex, std::string("config.json"),
                                  std::string("keyshift-receipt.json")}) {
    const std::string good = read_file(source / name);
    std::string bad = good;
    bad.back() = static_cast<char>(bad.back() ^ 1);
    folder.write("source/" + name, bad);
    CHECK(check(lines, source) == std::vector<std::string>{"differs " + name + ": has XXH3-128 " + xxh(bad) +
                                                           ", where the manifest says " + xxh(good)});
    folder.write("source/" + name, good);
  }
  CHECK(check(lines, source).empty());
}

TEST_CASE("what is missing, extra or outside of the folder is told apart") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  const std::string lines = lines_of(source);
  fs::remove(source / "tokenizer.json");
  folder.write("source/new.txt", "new");
  fs::remove(source / "config.json");
  folder.write("elsewhere.json", "{\"model_type\": \"llama\"}\n");
  fs::create_symlink(folder / "elsewhere.json", source / "config.json");
  const std::vector<std::string> told = check(lines, source);
  REQUIRE(told.size() == 3);
  CHECK(told[0].starts_with("outside config.json: "));
  CHECK(told[1] == "missing tokenizer.json: is not there");
  CHECK(told[2] == "extra new.txt: is not in the manifest");
}

TEST_CASE("pieces must cover the file and nothing else") {
  const TemporaryFolder folder;
  folder.write("a.bin", "0123456789");
  const auto statement = [](std::vector<std::pair<std::string, std::string>> rows) {
    std::string resources, root;
    ShaHasher hasher;
    for (const auto& [name, bytes] : rows) {
      resources += (resources.empty() ? "" : ",");
      resources += R"({"name":")" + name + R"(","algorithm":"sha256-sharded-4","digest":")" +
                   sha256_of(bytes).hex() + "\"}";
      const Sha256 digest = sha256_of(bytes);
      hasher.update(std::as_bytes(std::span(digest.bytes)));
    }
    return R"({"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"m","digest":{"sha256":")" +
           hasher.value().hex() +
           R"("}}],"predicateType":"https://model_signing/signature/v1.0","predicate":{"serialization":{"method":"shards"},"resources":[)" +
           resources + "]}}";
  };
  CHECK(check(statement({{"a.bin:0:4", "0123"}, {"a.bin:4:8", "4567"}, {"a.bin:8:10", "89"}}), folder.path())
            .empty());
  CHECK(check(statement({{"a.bin:0:4", "0123"}, {"a.bin:4:8", "4567"}}), folder.path()) ==
        std::vector<std::string>{"differs a.bin: has 10 bytes, where the manifest says 8"});
  CHECK(check(statement({{"a.bin:0:4", "0123"}, {"a.bin:8:10", "89"}}), folder.path()) ==
        std::vector<std::string>{"differs a.bin: bytes 4 to 8 are not in the manifest"});
  CHECK(check(statement({{"a.bin:0:4", "0123"}, {"a.bin:4:12", "456789"}}), folder.path()) ==
        std::vector<std::string>{"differs a.bin: has 10 bytes, where the manifest says at least 12"});
  CHECK(check(statement({{"a.bin:0:10", "012345678x"}}), folder.path()) ==
        std::vector<std::string>{"differs a.bin: has SHA-256 of bytes 0 to 10 " +
                                 sha256_of("0123456789").hex() + ", where the manifest says " +
                                 sha256_of("012345678x").hex()});
}

TEST_CASE("a hub cache is held against the names of its blobs") {
  const TemporaryFolder folder;
  const std::string shard = shard_of({{"x", "1"}});
  const std::string blob = sha256_of(shard).hex();
  const std::string git = "9e26dfeeb6e641a33dae4961196235bdb965b21b";  // git hash-object of "{}"
  folder.write("models--o--n/blobs/" + blob, shard);
  folder.write("models--o--n/blobs/" + git, "{}");
  folder.write("models--o--n/blobs/" + blob + ".incomplete", "half");
  fs::create_directories(folder / "models--o--n/snapshots/c1");
  fs::create_symlink("../../blobs/" + blob, folder / "models--o--n/snapshots/c1/model.safetensors");
  fs::create_symlink("../../blobs/" + git, folder / "models--o--n/snapshots/c1/config.json");
  fs::create_symlink("../../blobs/0123", folder / "models--o--n/snapshots/c1/gone.json");

  const auto run = [&](const fs::path& path) {
    CheckRequest request;
    std::vector<CheckFinding> findings;
    const Manifest manifest = hub_cache_manifest(path, request.folder, findings);
    const CheckResult result = check_files(manifest, request, kNobody, kNobody, Interrupt());
    findings.insert(findings.end(), result.findings.begin(), result.findings.end());
    std::vector<std::string> told;
    for (const CheckFinding& finding : findings)
      told.push_back(finding.kind + " " + finding.file + ": " + finding.message);
    return told;
  };
  const std::string gone = "gone.json: its blob \"0123\" is not there";
  CHECK(run(folder / "models--o--n") == std::vector<std::string>{"missing snapshots/c1/" + gone});
  folder.write("models--o--n/blobs/" + git, "[]");
  folder.write("models--o--n/blobs/" + blob, shard + "x");
  const std::vector<std::string> told = run(folder / "models--o--n/snapshots/c1");
  REQUIRE(told.size() == 3);
  CHECK(told[0] == "missing " + gone);
  CHECK(told[1].starts_with("differs config.json: has git's SHA-1 "));
  CHECK(told[2] == "differs model.safetensors: has SHA-256 " + sha256_of(shard + "x").hex() +
                       ", where the manifest says " + blob);
  CHECK(error_text([&] { run(folder.path()); }) ==
        folder.path().string() +
            ": is a folder and no hub cache (models--ORG--NAME, or a snapshot in one), whose files are named "
            "by their "
            "digests; name a manifest");
}

TEST_CASE("digests of tensors do not depend on names, order, headers and shards") {
  const TemporaryFolder folder;
  const auto contents = [&](const fs::path& path) {
    const Checkpoint checkpoint = Checkpoint::open(path);
    const auto files = files_of(checkpoint.place());
    const auto digests = digest_files(checkpoint, files, {.tensors = true}, 1, kNobody, Interrupt());
    std::vector<std::string> lines;
    for (std::size_t f = 0; f < files.size(); ++f) {
      const auto tensors = checkpoint.shards()[files[f].shard].header().tensors();
      for (std::size_t i = 0; i < tensors.size(); ++i) {
        CHECK(digests[f].shard->tensors[i] ==
              digest_of(checkpoint.shards()[files[f].shard].bytes(tensors[i])));
        lines.push_back(content_line(name(tensors[i].dtype), tensors[i].shape, digests[f].shard->tensors[i]));
      }
    }
    return content_digest(lines);
  };
  const fs::path one = folder.write("one.safetensors", shard_of({{"a", "12"}, {"none", ""}, {"b", "345"}}));
  const fs::path two = folder.write("two.safetensors", shard_of({{"y", "345"}, {"x", "12"}, {"z", ""}}, ""));
  const fs::path other =
      folder.write("other.safetensors", shard_of({{"y", "346"}, {"x", "12"}, {"z", ""}}, ""));
  CHECK(contents(one) == contents(two));
  CHECK(contents(one) != contents(other));
}

TEST_CASE("pieces, header and data section are digested in the same read") {
  const TemporaryFolder folder;
  const std::string bytes = shard_of({{"a", std::string(1'000'000, 'x')}, {"b", "345"}});
  const Checkpoint checkpoint = Checkpoint::open(folder.write("one.safetensors", bytes));
  const auto files = files_of(checkpoint.place());
  const DigestWants wants{.sha256 = true, .sha256_pieces = 700'000, .tensors = true};
  const auto digests = digest_files(checkpoint, files, wants, 1, kNobody, Interrupt());
  REQUIRE(digests.size() == 1);
  CHECK(digests[0].xxh3_128.hex() == xxh(bytes));
  CHECK(digests[0].sha256 == sha256_of(bytes));
  REQUIRE(digests[0].pieces.size() == 2);
  CHECK(digests[0].pieces[0] == sha256_of(std::string_view(bytes).substr(0, 700'000)));
  CHECK(digests[0].pieces[1] == sha256_of(std::string_view(bytes).substr(700'000)));
  const std::size_t header = bytes.size() - 1'000'003;
  CHECK(digests[0].shard->header_size == header);
  CHECK(digests[0].shard->header.hex() == xxh(bytes.substr(0, header)));
  CHECK(digests[0].shard->data.hex() == xxh(bytes.substr(header)));
}
