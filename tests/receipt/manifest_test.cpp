#include "receipt/manifest.h"

#include <doctest/doctest.h>

#include "base/compression.h"
#include "support/error_text.h"

using namespace keyshift;
using keyshift::test::error_text;

namespace {

const std::string kXxh(32, 'a');
const std::string kSha(64, 'b');

std::string refusal(const std::string& text) {
  return error_text([&] { parse_manifest(text, "m"); });
}

std::vector<StatementFile> two_files() {
  return {{"a.b", {sha256_of("1")}, 1}, {"a/b", {sha256_of("2")}, 1}};
}

}  // namespace

TEST_CASE("lines of xxhsum and sha256sum are read, GNU's and BSD's, escapes and all") {
  const Manifest manifest = parse_manifest(
      kXxh + "  a b.txt\n" + kSha + " *./sub/c\r\n\nSHA256 (d (1)) = " + kSha + "\nXXH128 (e) = " + kXxh +
          "\n\\" + kSha + "  f\\n\\\\g\n" + std::string(40, 'C') + "  h",
      "m");
  REQUIRE(manifest.files.size() == 6);
  CHECK(manifest.files[0].name == "a b.txt");
  CHECK(manifest.files[0].digests.at(0).kind == DigestKind::xxh3_128);
  CHECK(manifest.files[1].name == "sub/c");
  CHECK(manifest.files[1].digests.at(0).kind == DigestKind::sha256);
  CHECK(manifest.files[2].name == "d (1)");
  CHECK(manifest.files[3].name == "e");
  CHECK(manifest.files[3].digests.at(0).kind == DigestKind::xxh3_128);
  CHECK(manifest.files[4].name == "f\n\\g");
  CHECK(manifest.files[5].digests.at(0).hex == std::string(40, 'c'));
  CHECK(manifest.is_folder);
}

TEST_CASE("lines of one shard and its receipt are no whole folder") {
  CHECK_FALSE(parse_manifest(kXxh + "  a.safetensors\n", "m").is_folder);
  CHECK_FALSE(
      parse_manifest(kXxh + "  a.safetensors\n" + kXxh + "  a.keyshift-receipt.json\n", "m").is_folder);
  CHECK(parse_manifest(kXxh + "  a.safetensors\n" + kXxh + "  b.safetensors\n", "m").is_folder);
}

TEST_CASE("what is no line of a manifest is shown with a caret") {
  CHECK(refusal("") == "m: lists no file");
  CHECK(refusal(kXxh + "  a\nhello\n") ==
        "m:2:1: is neither \"DIGEST  NAME\" nor \"ALGORITHM (NAME) = DIGEST\"\n2 | hello\n  | ^");
  CHECK(
      refusal("0123456789abcdef  a") ==
      "m:1:1: a digest of 16 hex digits; those of 32 (XXH3-128), 40 (SHA-1) and 64 (SHA-256) are known\n1 | "
      "0123456789abcdef  a\n  | ^");
  CHECK(refusal("MD5 (a) = " + kXxh) ==
        "m:1:1: the algorithm \"MD5\" is not known; XXH128, SHA1 and SHA256 are\n1 | MD5 (a) = " + kXxh +
            "\n  | ^");
  CHECK(refusal("SHA256 (a) = 12") ==
        "m:1:14: is no digest of SHA256\n1 | SHA256 (a) = 12\n  |              ^");
  CHECK(refusal("\\" + kXxh + "  a\\tb").starts_with("m:1:35: the name holds an escape that is none\n"));
}

TEST_CASE("names never lead out of the folder") {
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"/etc/passwd", "is absolute, where names below one folder are read"},
      {"../a", "leads out of the folder"},
      {"a/../../b", "leads out of the folder"},
      {"a//b", "has a part that names nothing"},
      {"a/./b", "has a part that names nothing"},
      {"a/", "has a part that names nothing"},
      {"", "names nothing"}};
  for (const auto& [name, why] : bad) {
    CHECK(unsafe_manifest_name(name) == why);
    const std::string line = kXxh + "  " + name;
    CHECK(refusal(line) == "m:1:35: the name \"" + name + "\" " + why + "\n1 | " + line + "\n  | " +
                               std::string(34, ' ') + "^");
  }
  CHECK(unsafe_manifest_name(std::string("a\0b", 3)) == "holds a NUL");
  CHECK(unsafe_manifest_name("a/..b/c...") == "");
}

TEST_CASE("a line is as sha256sum and xxhsum write it") {
  CHECK(manifest_line(sha256_of(""), "a\\b\nc") ==
        "\\e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a\\\\b\\nc\n");
  CHECK(manifest_line(digest_of(std::string_view()), "a\\b") ==
        digest_of(std::string_view()).hex() + "  a\\b\n");
  CHECK(error_text([] { manifest_line(Digest{}, "a\nb"); }) ==
        "the name \"a\\x0ab\" holds a line end, which a line of xxhsum cannot hold; use --json");
}

TEST_CASE("a statement lists paths part by part, and is read back") {
  const std::string text = write_statement(two_files(), {"model", false, false, {".git"}});
  const Manifest manifest = parse_manifest(text, "m");
  REQUIRE(manifest.files.size() == 2);
  CHECK(manifest.files[0].name == "a/b");
  CHECK(manifest.files[0].digests.at(0).hex == sha256_of("2").hex());
  CHECK(manifest.files[1].name == "a.b");
  CHECK(manifest.is_folder);
  CHECK_FALSE(manifest.is_signed);
}

TEST_CASE("pieces of a statement are ranges of bytes") {
  const std::string text = write_statement(
      {{"a", {sha256_of("1"), sha256_of("2")}, 1'500'000'000}, {"empty", {}, 0}}, {"model", true, false, {}});
  const Manifest manifest = parse_manifest(text, "m");
  REQUIRE(manifest.files.size() == 2);
  CHECK(manifest.files[1].name == "a");
  CHECK(manifest.files[1].piece == std::pair<std::uint64_t, std::uint64_t>(1'000'000'000, 1'500'000'000));
  CHECK(error_text([] {
          write_statement({{"a:b", {sha256_of("1")}, 1}}, {"model", true, false, {}});
        }) == "the name \"a:b\" holds a colon, which the method \"shards\" takes for its own; use \"files\"");
}

TEST_CASE("a bundle is read for what it lists") {
  const std::string statement = write_statement(two_files(), {"model", false, false, {}});
  const auto bundle = [](const std::string& type, const std::string& payload) {
    return R"({"dsseEnvelope": {"payloadType": ")" + type + R"(", "payload": ")" + payload + "\"}}";
  };
  const Manifest manifest = parse_manifest(bundle("application/vnd.in-toto+json", to_base64(statement)), "m");
  CHECK(manifest.files.size() == 2);
  CHECK(manifest.is_signed);
  CHECK(refusal(bundle("text/plain", "")) == "m: is a bundle of something else than an in-toto statement");
  CHECK(refusal(bundle("application/vnd.in-toto+json", "!")) == "m: member \"payload\" is no base64");
}

TEST_CASE("a statement that was edited, or is of another kind, is refused") {
  const std::string good = write_statement(two_files(), {"model", false, false, {}});
  const auto with = [&](const std::string& old_text, const std::string& new_text) {
    std::string text = good;
    text.replace(text.find(old_text), old_text.size(), new_text);
    return refusal(text);
  };
  const std::string root =
      parse_manifest(good, "m").files.empty() ? "" : good.substr(good.find("\"sha256\": \"") + 11, 64);
  const std::string other = with(sha256_of("1").hex(), sha256_of("3").hex());
  CHECK(other.starts_with("m: its subject has digest \"" + root + "\", and its resources come to "));
  CHECK(other.ends_with(": it was damaged or edited"));
  CHECK(with("Statement/v1", "Statement/v9") ==
        "m: is no in-toto statement of type https://in-toto.io/Statement/v1");
  CHECK(with("signature/v1.0", "signature/v9") ==
        "m: its predicate is of type \"https://model_signing/signature/v9\", where "
        "https://model_signing/signature/v1.0 is read");
  CHECK(with("\"algorithm\": \"sha256\"", "\"algorithm\": \"blake3\"") ==
        "m: the algorithm \"blake3\" of \"a/b\" is not known; sha256 is");
  CHECK(with("\"name\": \"a/b\"", "\"name\": \"../b\"") == "m: the name \"../b\" leads out of the folder");
  CHECK(with("\"method\": \"files\"", "\"method\": \"shards\"") ==
        "m: the resource \"a/b\" is not NAME:BEGIN:END");
  CHECK(with("\"method\": \"files\"", "\"method\": \"trees\"") == "m: the method \"trees\" is not known");
}

TEST_CASE("other JSON is refused by its schema, and broken JSON with its place") {
  CHECK(refusal("{\"schema\": \"other/1\"}") ==
        "m: has schema \"other/1\"; keyshift-digest/1, keyshift-receipt/1, in-toto statements and lines of "
        "xxhsum or "
        "sha256sum are read");
  CHECK(refusal("{}") == "m: member \"_type\" is missing");
  CHECK(refusal("{\"schema\"").starts_with("m:1:"));
  CHECK(
      refusal(
          R"({"schema": "keyshift-digest/1", "single_file": false, "files": [{"file": "/a"}], "shards": []})") ==
      "m: the name \"/a\" is absolute, where names below one folder are read");
  CHECK(refusal(R"({"schema": "keyshift-digest/1", "single_file": false, "files": [{"file": "a", "size": 1,
"xxh3_128": "12"}], "shards": []})") == "m: \"12\" is no XXH3-128 in lower-case hex digits");
  CHECK(
      refusal(
          R"({"schema": "keyshift-digest/1", "single_file": false, "files": [{"file": "a", "size": 1.5}]})") ==
      "m: member \"size\" is no whole number from 0 on");
}
