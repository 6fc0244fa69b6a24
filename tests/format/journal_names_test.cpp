#include "format/journal_names.h"

#include <doctest/doctest.h>

#include "support/error_text.h"
#include "support/sample_checkpoint.h"

using namespace keyshift;
using namespace keyshift::test;
namespace fs = std::filesystem;

namespace {

std::string refusal(const fs::path& journal, const fs::path& what) {
  return journal.string() +
         ": an in-place run was interrupted here, so the files are neither the old nor the new ones; "
         "`keyshift "
         "recover \"" +
         what.string() + "\"` finishes it or rolls it back";
}

}  // namespace

TEST_CASE("a journal in the folder stands in the way of everything in it") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  folder.write("source/.keyshift-journal", "");
  const std::string text = refusal(source / ".keyshift-journal", source);
  CHECK(error_text([&] { find_checkpoint(source); }) == text);
  CHECK(error_text([&] { find_checkpoint(source / kIndex); }) == text);
  CHECK(error_text([&] { find_checkpoint(source / kFirstShard); }) == text);
  CHECK(error_text([&] { Checkpoint::open(source); }) == text);
}

TEST_CASE("a journal beside a file stands in the way of the file and of its checkpoint only") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  const std::string name = journal_name_beside(kFirstShard);
  CHECK(name == ".model-00001-of-00002.safetensors.keyshift-journal");
  folder.write("source/" + name, "");
  const std::string text = refusal(source / name, source / kFirstShard);
  CHECK(error_text([&] { find_checkpoint(source / kFirstShard); }) == text);
  CHECK(error_text([&] { find_checkpoint(source); }) == text);
  CHECK(find_checkpoint(source / kSecondShard).is_single_file);
}

TEST_CASE("a journal stands in the way even where the checkpoint could not be opened without it") {
  const TemporaryFolder folder;
  folder.write("a/model.safetensors.index.json", "{");
  folder.write("a/.keyshift-journal", "");
  CHECK(error_text([&] { find_checkpoint(folder / "a"); }) ==
        refusal(folder / "a/.keyshift-journal", folder / "a"));
}

TEST_CASE("what is to be recovered is found from the folder, the index and the file") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  CHECK(journals_at(source).empty());
  const fs::path own = folder.write("source/.keyshift-journal", "");
  CHECK(journals_at(source) == std::vector{own});
  CHECK(journals_at(source / kIndex) == std::vector{own});
  CHECK(journals_at(source / kFirstShard) == std::vector{own});
  const fs::path beside = folder.write("source/" + journal_name_beside(kFirstShard), "");
  CHECK(journals_at(source) == std::vector{own, beside});
  CHECK(journals_at(source / kFirstShard) == std::vector{beside});
  CHECK(error_text([&] { journals_at(folder / "none"); }) == (folder / "none").string() + ": does not exist");
}

TEST_CASE("a journal that is only being prepared stands in nobody's way, and is no side file") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  folder.write("source/.keyshift-journal-tmp", "");
  folder.write("source/.config.json.keyshift-new", "");
  CHECK(find_checkpoint(source).side_files == std::vector<std::string>{"config.json", "tokenizer.json"});
}
