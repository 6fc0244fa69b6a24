#include "engine/recover.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <array>
#include <map>

#include "base/error.h"
#include "base/file_system.h"
#include "base/in_place_file.h"
#include "engine/journal.h"
#include "support/error_text.h"
#include "support/shard_builder.h"
#include "support/temporary_folder.h"

using namespace keyshift;
using namespace keyshift::test;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kBlock = 4096;
const std::string kOverwritten = "a.safetensors", kInserted = "b.safetensors", kReplaced = "c.safetensors",
                  kCollapsed = "d.safetensors", kIndex = "model.safetensors.index.json",
                  kReceipt = "keyshift-receipt.json";

std::string header_of_length(char letter, std::size_t size) { return std::string(size, letter); }

const std::string kData = std::string(2 * kBlock, 'd') + "end";
const std::string kOldHeader = header_of_length('o', 100), kNewHeader = header_of_length('n', 100),
                  kLongHeader = header_of_length('n', 100 + kBlock),
                  kOldLongHeader = header_of_length('o', 100 + kBlock);

using Files = std::map<std::string, std::string>;
Files old_files() {
  return {{kOverwritten, kOldHeader + kData},
          {kInserted, kOldHeader + kData},
          {kReplaced, kOldHeader + kData},
          {kCollapsed, kOldLongHeader + kData},
          {kIndex, "old index"}};
}
Files new_files() {
  return {{kOverwritten, kNewHeader + kData},
          {kInserted, kLongHeader + kData},
          {kReplaced, kLongHeader + kData},
          {kCollapsed, kNewHeader + kData},
          {kIndex, "new index"},
          {kReceipt, "receipt"}};
}

Journal::Contents contents(const std::string& text) { return {text.size(), digest_of(text)}; }

Journal journal() {
  Journal out;
  const std::uint64_t size = kOldHeader.size() + kData.size();
  out.shards = {{kOverwritten, Way::overwrite, size, size, kOldHeader, kNewHeader},
                {kInserted, Way::insert, size, size + kBlock, kOldHeader, kLongHeader},
                {kReplaced, Way::replace, size, size + kBlock, kOldHeader, kLongHeader},
                {kCollapsed, Way::collapse, size + kBlock, size, kOldLongHeader, kNewHeader}};
  out.texts = {{kIndex, contents("old index"), contents("new index")},
               {kReceipt, std::nullopt, contents("receipt")}};
  return out;
}

Files files_in(const fs::path& folder) {
  Files files;
  for (const auto& entry : fs::directory_iterator(folder))
    files[entry.path().filename().string()] = read_file(entry.path());
  return files;
}

// A folder as a run leaves it that is cut short.
class Interrupted {
 public:
  Interrupted() {
    for (const auto& [name, text] : old_files()) folder_.write(name, text);
    write_journal_file(journal());
  }
  const fs::path& path() const { return folder_.path(); }
  void put(const std::string& name, const std::string& text) const { folder_.write(name, text); }
  void write_journal_file(const Journal& what) const {
    fs::remove(folder_ / ".keyshift-journal");
    const Descriptor file = create_file(folder_ / ".keyshift-journal");
    write_journal(what, file.get(), folder_ / ".keyshift-journal");
  }

  // How far each file has come: 0 is not at all.
  static constexpr int kOverwriteStates = 3, kInsertStates = 5, kReplaceStates = 4;
  void overwritten(int state) const {
    const std::array headers = {kOldHeader, kNewHeader.substr(0, 37) + kOldHeader.substr(37), kNewHeader};
    put(kOverwritten, headers.at(static_cast<std::size_t>(state)) + kData);
  }
  void inserted(int state) const {
    const std::string zeros(kBlock, '\0');
    const std::array<std::string, kInsertStates> states = {
        kOldHeader, zeros + kOldHeader, std::string(kBlock / 2, 'n') + zeros.substr(kBlock / 2) + kOldHeader,
        zeros + kLongHeader.substr(kBlock), kLongHeader};
    put(kInserted, states.at(static_cast<std::size_t>(state)) + kData);
  }
  void collapsed(int state) const {  // as many states as inserted() has
    const std::string zeros(kBlock, '\0'), first = kOldLongHeader.substr(0, kBlock);
    const std::array<std::string, kInsertStates> states = {
        kOldLongHeader, first + kNewHeader.substr(0, 37) + kOldHeader.substr(37), first + kNewHeader,
        zeros + kNewHeader, kNewHeader};
    put(kCollapsed, states.at(static_cast<std::size_t>(state)) + kData);
  }
  // What is staged, linked, renamed, and then has lost the second name of the old file.
  void replaced(const std::string& name, int state) const {
    const std::string staged = "." + name + ".keyshift-new", kept = "." + name + ".keyshift-old";
    if (state < 2) put(staged, new_files().at(name));
    const bool was = old_files().contains(name);
    if (state == 1 && was) fs::create_hard_link(path() / name, path() / kept);
    if (state == 2 && was) fs::rename(path() / name, path() / kept);
    if (state >= 2) put(name, new_files().at(name));
  }

 private:
  TemporaryFolder folder_;
};

bool inserts_blocks() {
  const TemporaryFolder folder;
  const auto path = folder.write("a", std::string(2 * kBlock, 'x'));
  return insert_range(open_for_changes(path).get(), path, 0, kBlock);
}

struct States {
  int overwritten, inserted /* and collapsed */, replaced, index, receipt;
  bool lost_old() const { return replaced == 3 || index == 3; }
  int done() const {
    return (overwritten == 2 ? 1 : 0) + (inserted == 4 ? 2 : 0) + (replaced >= 2 ? 1 : 0) +
           (index >= 2 ? 1 : 0) + (receipt >= 2 ? 1 : 0);
  }
};

void set_up(const Interrupted& run, const States& states) {
  run.overwritten(states.overwritten);
  run.inserted(states.inserted);
  run.collapsed(states.inserted);
  run.replaced(kReplaced, states.replaced);
  run.replaced(kIndex, states.index);
  run.replaced(kReceipt, states.receipt);
}

void check_both_ways(const States& states) {
  for (const bool back : {false, true}) {
    const Interrupted run;
    set_up(run, states);
    INFO(fmt::format("{} {} {} {} {}, back {}", states.overwritten, states.inserted, states.replaced,
                     states.index, states.receipt, back));
    if (back && states.lost_old()) {
      const Files before = files_in(run.path());
      CHECK(error_text([&] { recover(run.path(), true, 1); }) ==
            (run.path() / ".keyshift-journal").string() +
                ": cannot be rolled back any more, for the old files are gone; `keyshift recover` without "
                "--roll-back finishes it");
      CHECK((files_in(run.path()) == before));
      continue;
    }
    const RecoverResult result = recover(run.path(), back, 2);
    REQUIRE(result.runs.size() == 1);
    CHECK(result.runs[0].outcome == (back ? Recovered::rolled_back : Recovered::finished));
    CHECK(result.runs[0].done == static_cast<std::size_t>(states.done()));
    CHECK((files_in(run.path()) == (back ? old_files() : new_files())));
    CHECK(recover(run.path(), back, 1).runs.empty());
  }
}

}  // namespace

TEST_CASE("wherever a run was cut, recovering gives all new files, or all old ones where that is asked for") {
  if (!inserts_blocks()) {
    MESSAGE("this file system does not insert blocks");
    return;
  }
  // Each file's states with the others at both ends, and then a walk through the mixed ones.
  int number = 0;
  for (int a = 0; a < Interrupted::kOverwriteStates; ++a)
    for (int b = 0; b < Interrupted::kInsertStates; ++b)
      for (int c = 0; c < Interrupted::kReplaceStates; ++c)
        for (int d = 0; d < Interrupted::kReplaceStates; ++d)
          for (const int e : {0, 2})
            if (number++ % 13 == 0) check_both_ways({a, b, c, d, e});
  for (int b = 0; b < Interrupted::kInsertStates; ++b) check_both_ways({0, b, 0, 0, 0});
  for (int c = 0; c < Interrupted::kReplaceStates; ++c) check_both_ways({2, 4, c, 2, 2});
}

TEST_CASE("what was prepared is lost and nothing has lost its old file: the run is rolled back") {
  const Interrupted run;
  run.overwritten(1);
  run.inserted(0);
  run.replaced(kReplaced, 2);
  const RecoverResult result = recover(run.path(), false, 1);
  REQUIRE(result.runs.size() == 1);
  CHECK(result.runs[0].outcome == Recovered::rolled_back);
  CHECK((files_in(run.path()) == old_files()));
}

TEST_CASE("where neither way is open nothing is touched") {
  const Interrupted run;
  run.replaced(kReplaced, 3);
  const Files before = files_in(run.path());
  CHECK(error_text([&] { recover(run.path(), false, 1); }) ==
        (run.path() / kReceipt).string() +
            ": \"keyshift-receipt.json\" was to be replaced, and what was prepared for it is gone, while "
            "other files "
            "can no longer be put back; nothing was changed. If it was changed on purpose and the checkpoint "
            "is as "
            "it should be, remove the journal \"" +
            (run.path() / ".keyshift-journal").string() + "\"; else put the file back and run this again");
  CHECK((files_in(run.path()) == before));
}

TEST_CASE("a file that somebody else has changed is left alone, and so is all the rest") {
  const std::array<std::pair<std::string, std::string>, 9> changes = {
      {{kOverwritten, "theirs"},
       {kOverwritten, std::string(100, 'x') + kData},
       {kInserted, std::string(kBlock + 100, 'x') + kData},
       {kInserted, kOldHeader + kData + "more"},
       {kReplaced, std::string(100, 'x') + kData},
       {kCollapsed, std::string(100, 'x') + kData},
       {kCollapsed, std::string(kBlock + 100, 'x') + kData},
       {kCollapsed, kNewHeader + kData + "more"},
       {kIndex, "their index"}}};
  for (const auto& [name, text] : changes) {
    const Interrupted run;
    run.put(name, text);
    const Files before = files_in(run.path());
    CHECK(error_text([&] { recover(run.path(), false, 1); })
              .starts_with((run.path() / name).string() + ": \"" + name +
                           "\" is neither what it was before the run nor what it was to become; nothing was "
                           "changed."));
    CHECK((files_in(run.path()) == before));
  }
  const Interrupted run;
  fs::remove(run.path() / kOverwritten);
  CHECK_THROWS_AS(recover(run.path(), false, 1), Error);
}

TEST_CASE("nothing is written through a link") {
  const TemporaryFolder elsewhere;
  elsewhere.write("theirs.safetensors", kOldHeader + kData);
  const Interrupted run;
  fs::remove(run.path() / kOverwritten);
  fs::create_symlink(elsewhere / "theirs.safetensors", run.path() / kOverwritten);
  CHECK(error_text([&] { recover(run.path(), false, 1); })
            .starts_with((run.path() / kOverwritten).string() + ": \"" + kOverwritten +
                         "\" is a link or lies behind one, and links are never written through;"));
  CHECK((read_file(elsewhere / "theirs.safetensors") == kOldHeader + kData));
}

TEST_CASE("a journal that is cut or garbage is refused, and nothing is touched") {
  const Interrupted run;
  const std::string whole = read_file(run.path() / ".keyshift-journal");
  for (const std::string& text :
       {std::string(), std::string("garbage"), whole.substr(0, whole.size() / 2), whole + "x"}) {
    run.put(".keyshift-journal", text);
    const Files before = files_in(run.path());
    try {
      recover(run.path(), false, 1);
      FAIL("no error");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::journal_invalid);
    }
    CHECK((files_in(run.path()) == before));
  }
}

TEST_CASE("a run that is still at work is not recovered") {
  const Interrupted run;
  const fs::path path = run.path() / ".keyshift-journal";
  const Descriptor held = try_lock(path);
  CHECK(error_text([&] { recover(run.path(), false, 1); }) ==
        path.string() + ": another run of keyshift is at work on it; wait for it to end");
}

TEST_CASE("what a run had prepared before it began is removed, unless it is still at work") {
  const TemporaryFolder folder;
  for (const auto& [name, text] : old_files()) folder.write(name, text);
  CHECK(recover(folder.path(), false, 1).leftovers.empty());
  folder.write(".keyshift-journal-tmp", "half");
  folder.write(".c.safetensors.keyshift-new", "half");
  {
    const Descriptor held = try_lock(folder / ".keyshift-journal-tmp");
    CHECK_THROWS_AS(recover(folder.path(), false, 1), Error);
  }
  const RecoverResult result = recover(folder.path(), false, 1);
  CHECK(result.runs.empty());
  CHECK(result.leftovers == std::vector<std::string>{".c.safetensors.keyshift-new", ".keyshift-journal-tmp"});
  CHECK((files_in(folder.path()) == old_files()));
}
