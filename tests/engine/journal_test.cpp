#include "engine/journal.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/in_place_file.h"
#include "support/error_text.h"
#include "support/temporary_folder.h"

using namespace keyshift;
using namespace keyshift::test;
namespace fs = std::filesystem;

namespace {

constexpr const char* kAdvice =
    "; nothing was changed. A run that was interrupted never leaves such a journal: if the checkpoint is as "
    "it "
    "should be (`keyshift verify`, `keyshift check`), remove this file";

Journal sample() {
  Journal journal;
  journal.shards = {{"a.safetensors", Way::overwrite, 20, 20, "old-header", "new-header"},
                    {"sub/b.safetensors", Way::insert, 30, 33, "old-header", "new-header-13"},
                    {"c.safetensors", Way::replace, 30, 28, "old-header", "header-8"},
                    {"d.safetensors", Way::collapse, 30, 28, "old-header", "header-8"}};
  journal.texts = {{"model.safetensors.index.json", Journal::Contents{3, digest_of("old")},
                    Journal::Contents{4, digest_of("news")}},
                   {"keyshift-receipt.json", std::nullopt, Journal::Contents{1, digest_of("r")}}};
  return journal;
}

std::string text_of(const Journal& journal) {
  const TemporaryFolder folder;
  const Descriptor file = create_file(folder / "journal");
  write_journal(journal, file.get(), folder / "journal");
  return read_file(folder / "journal");
}

std::string refusal(const std::string& text) {
  return error_text([&] { parse_journal(text, "j"); });
}

// With the digest that it should have.
std::string sealed(std::string text) { return text + digest_of(text).hex(); }

std::string described(const std::string& json, const std::string& rest = "") {
  return sealed(fmt::format("keyshift-journal/1 {}\n{}{}", json.size(), json, rest));
}

std::string one_shard(const std::string& name, const std::string& way, int old_size, int new_size) {
  return described(
      fmt::format(R"({{"shards":[{{"name":"{}","way":"{}","old_size":{},"new_size":{},"old_header":8,)"
                  R"("new_header":8}}],"texts":[]}})",
                  name, way, old_size, new_size),
      "old-headnew-head");
}

std::string one_text(const std::string& name) {
  return described(
      fmt::format(R"({{"shards":[],"texts":[{{"name":"{}","before":null,"after":null}}]}})", name));
}

}  // namespace

TEST_CASE("a journal that was written is read back the same") {
  const OpenedJournal read = parse_journal(text_of(sample()), "j");
  const Journal expected = sample();
  REQUIRE(read.journal.shards.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    const Journal::Shard &a = read.journal.shards[i], &b = expected.shards[i];
    CHECK(a.name == b.name);
    CHECK(a.way == b.way);
    CHECK(a.old_size == b.old_size);
    CHECK(a.new_size == b.new_size);
    CHECK(a.old_header == b.old_header);
    CHECK(a.new_header == b.new_header);
  }
  REQUIRE(read.journal.texts.size() == 2);
  CHECK(read.journal.texts[0].name == expected.texts[0].name);
  CHECK((read.journal.texts[0].before == expected.texts[0].before));
  CHECK((read.journal.texts[0].after == expected.texts[0].after));
  CHECK_FALSE(read.journal.texts[1].before.has_value());
}

TEST_CASE("a journal that is cut anywhere is refused") {
  const std::string text = text_of(sample());
  for (std::size_t length = 0; length < text.size(); ++length) {
    const std::string error = refusal(text.substr(0, length));
    CHECK((error == std::string("j: is no journal of keyshift, or it is cut") + kAdvice ||
           error == std::string("j: is not what its own digest says: it is cut or damaged") + kAdvice));
  }
}

TEST_CASE("a journal in which any byte has changed, or behind which something stands, is refused") {
  const std::string text = text_of(sample());
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = static_cast<char>(changed[i] ^ 0x20);
    CHECK_THROWS_AS(parse_journal(changed, "j"), Error);
  }
  CHECK(refusal(text + "x") ==
        std::string("j: is not what its own digest says: it is cut or damaged") + kAdvice);
}

TEST_CASE("a journal never leads outside of its folder") {
  for (const char* name : {"../a.safetensors", "/a.safetensors", "sub/../../a.safetensors"}) {
    CHECK(
        refusal(one_shard(name, "overwrite", 10, 10)).starts_with(fmt::format("j: the name \"{}\" ", name)));
  }
  CHECK(refusal(one_shard("etc/passwd", "overwrite", 10, 10)) ==
        std::string("j: the name \"etc/passwd\" does not end in .safetensors") + kAdvice);
  CHECK(refusal(one_text("../a")) == std::string("j: the name \"../a\" has the part `..`") + kAdvice);
  CHECK(parse_journal(one_text("sub/a"), "j").journal.texts.at(0).name == "sub/a");
}

TEST_CASE("a journal that contradicts itself is refused") {
  const auto contradiction =
      std::string("j: the sizes of \"a.safetensors\" contradict one another") + kAdvice;
  CHECK(refusal(one_shard("a.safetensors", "overwrite", 10, 11)) == contradiction);
  CHECK(refusal(one_shard("a.safetensors", "insert", 10, 10)) == contradiction);
  CHECK(refusal(one_shard("a.safetensors", "collapse", 10, 10)) == contradiction);
  CHECK(refusal(one_shard("a.safetensors", "collapse", 11, 10)) == contradiction);
  CHECK(refusal(one_shard("a.safetensors", "replace", 7, 7)) == contradiction);
  CHECK(refusal(one_shard("a.safetensors", "fold", 10, 10)) ==
        std::string("j: the way \"fold\" is none that this version knows") + kAdvice);
  CHECK(refusal(described(R"({"shards":[],"texts":[]})", "more")) ==
        std::string("j: has 4 bytes that belong to nothing") + kAdvice);
  CHECK(refusal(described(R"({"shards":[]})")) ==
        std::string("j: member \"texts\" is missing or not an array") + kAdvice);
  CHECK(refusal(sealed("keyshift-journal/1 99999999999999999999999\n{}")) ==
        std::string("j: does not say how long its description is") + kAdvice);
  CHECK(refusal(sealed("keyshift-journal/1 9999\n{}")) ==
        std::string("j: ends before what it describes") + kAdvice);
}
