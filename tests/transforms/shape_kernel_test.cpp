// Every loop that renames, at every length of keys, between pages that nobody may read.
#include "transforms/shape_kernel.h"

#include <doctest/doctest.h>
#include <sys/mman.h>

#include <random>
#include <string>
#include <vector>

#include "transforms/check_against_plain.h"
#include "transforms/kernels.h"
#include "transforms/rename_all.h"
#include "transforms/rename_run.h"

using namespace keyshift;

namespace {

constexpr std::size_t kPage = 4096, kLongest = 300;

/// One page with forbidden ones before and behind it.
class LonelyPage {
 public:
  LonelyPage()
      : pages_(
            static_cast<char*>(::mmap(nullptr, 3 * kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
    ::mprotect(pages_ + kPage, kPage, PROT_READ | PROT_WRITE);
  }
  LonelyPage(const LonelyPage&) = delete;
  LonelyPage& operator=(const LonelyPage&) = delete;
  ~LonelyPage() { ::munmap(pages_, 3 * kPage); }

  std::string_view at_begin(const std::string& text) { return put(text, 0); }
  std::string_view at_end(const std::string& text) { return put(text, kPage - text.size()); }

 private:
  std::string_view put(const std::string& text, std::size_t at) {
    text.copy(pages_ + kPage + at, text.size());
    return {pages_ + kPage + at, text.size()};
  }
  char* pages_;
};

// With numbers at its end, at its beginning, and where blocks of 32 and 64 bytes meet.
std::string key_of(std::size_t size, char digit) {
  std::string key(size, 'x');
  for (std::size_t at = 0; at < size; ++at) {
    if (at % 31 < 2) key[at] = digit;
    if (at % 31 == 2 || at % 31 == 30) key[at] = '.';
  }
  return key;
}

std::string renamed_by(const TransformTrie& trie, const ShapeKernel& kernel,
                       const std::vector<std::string_view>& keys) {
  RenameRun run(trie, kernel);
  RenamedKeys out;
  run.rename(keys, out);
  std::string all;
  for (std::size_t i = 0; i < keys.size(); ++i) all.append(out[i]).append("\n");
  return all;
}

}  // namespace

TEST_CASE("every kernel renames keys of every length, and reads nothing around them") {
  TransformList list = test::renaming_of("x(.*)\\.", "y\\1.");
  list.transforms.push_back(test::renaming_of("7", "seven").transforms.front());
  const TransformTrie trie(std::make_shared<const Renaming>(list, RenamingOptions{}));
  LonelyPage first, second, third;
  for (const ShapeKernel* kernel : test::kernels()) {
    CAPTURE(std::string(kernel->name));
    for (std::size_t size = 0; size <= kLongest; ++size) {
      const std::string a = key_of(size, '1'), b = key_of(size, '2'), c = key_of(size, '7');
      const std::string expected = test::rename_all(list, {}, {a})[0] + "\n" +
                                   test::rename_all(list, {}, {b})[0] + "\n" +
                                   test::rename_all(list, {}, {c})[0] + "\n";
      CHECK(renamed_by(trie, *kernel, {first.at_begin(a), second.at_begin(b), third.at_begin(c)}) ==
            expected);
      CHECK(renamed_by(trie, *kernel, {first.at_end(a), second.at_end(b), third.at_end(c)}) == expected);
    }
  }
}

TEST_CASE("every kernel makes results of every length") {
  for (const ShapeKernel* kernel : test::kernels()) {
    CAPTURE(std::string(kernel->name));
    for (std::size_t size = 0; size <= kLongest; ++size) {
      const std::string target(size, 'y');
      const TransformTrie trie(std::make_shared<const Renaming>(
          test::renaming_of("^a.(\\d+)$", target + "\\1"), RenamingOptions{}));
      CHECK(renamed_by(trie, *kernel, {"a.12", "a.34", "b.5", "a.56"}) ==
            target + "12\n" + target + "34\nb.5\n" + target + "56\n");
    }
  }
}

TEST_CASE("every kernel finds shapes in table order and out of it, among many") {
  const TransformList list = test::renaming_of("layer(.)\\.(\\d+)", "l\\1");
  const TransformTrie trie(std::make_shared<const Renaming>(list, RenamingOptions{}));
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < 20'000; ++i) {
    const std::size_t mixed = i * 7919 % 20'000;
    keys.push_back("model." + std::to_string(mixed % 61) + ".layer" + static_cast<char>('a' + mixed % 26) +
                   "." + std::to_string(mixed % 7) + std::string(mixed % 97, 'w') + "." +
                   std::to_string(mixed));
  }
  std::string expected;
  for (const std::string& name : test::rename_all(list, {}, keys)) expected += name + "\n";
  const std::vector<std::string_view> views(keys.begin(), keys.end());
  for (const ShapeKernel* kernel : test::kernels()) {
    CAPTURE(std::string(kernel->name));
    CHECK((renamed_by(trie, *kernel, views) == expected));
  }
}

TEST_CASE(
    "every kernel forgets what it looked up when a group is armed, and takes keys between that have no "
    "shape") {
  TransformList list = test::rules(R"([{"type": "GroupWeightRename", "source_patterns": ["guard", "b\\.w"],
                                        "target_patterns": ["guarded", "c.v"]}])");
  list.transforms.push_back(test::renaming_of("^model", "m").transforms.front());
  const TransformTrie trie(std::make_shared<const Renaming>(list, RenamingOptions{}));
  std::mt19937 random(1);
  for (std::size_t round = 0; round < 20; ++round) {
    std::vector<std::string> keys;
    for (std::size_t layer = 0; layer < 60; ++layer) {
      const std::string begin = "model." + std::to_string(layer);
      for (std::size_t i = 0; i < 40; ++i) {  // some of forty, so that nobody can guess which comes next
        if (random() % 3 == 0)
          keys.push_back(begin + "." + std::string(i + 1, 'q') + ".b.w." + std::to_string(i));
      }
      if (layer % 7 == 0) keys.push_back(begin + ".\x01.b.w");
      if (layer % 9 == 0) keys.push_back(begin + "." + std::string(270, 'l') + ".b.w");
      if (layer == 40) keys.push_back(begin + ".guard");
    }
    const std::vector<std::string_view> views(keys.begin(), keys.end());
    for (const ShapeKernel* kernel : test::kernels()) {
      CAPTURE(std::string(kernel->name));
      CHECK(check_against_plain(trie, views, *kernel).value_or("agrees") == "agrees");
      const std::string all = renamed_by(trie, *kernel, views);
      CHECK(all.find("m.39.q") != std::string::npos);
      CHECK(all.find(".b.w.") != std::string::npos);
      CHECK(all.find(".c.v.") != std::string::npos);
    }
  }
}

TEST_CASE("every kernel writes lines of a key, a tab and its new name") {
  const TransformTrie trie(
      std::make_shared<const Renaming>(test::renaming_of("a.(\\d+)", "b\\1"), RenamingOptions{}));
  LonelyPage page, other;
  for (const ShapeKernel* kernel : test::kernels()) {
    CAPTURE(std::string(kernel->name));
    for (std::size_t size = 0; size <= kLongest; ++size) {
      const std::string rest(size, 'z'), one = "a.1." + rest, two = "a.23." + rest;
      const std::vector<std::string_view> keys = {page.at_end(one), other.at_end(two), "", rest};
      RenameRun run(trie, *kernel);
      RenamedKeys out;
      run.write_lines(keys, out);
      CHECK(out.text() ==
            one + "\tb1." + rest + "\n" + two + "\tb23." + rest + "\n" + "\t\n" + rest + "\t" + rest + "\n");
      CHECK(out[1] == two + "\tb23." + rest + "\n");
      CHECK(out.outcome(0).transforms == std::vector<std::uint32_t>{0});
      CHECK(out.outcome(3).transforms.empty());
    }
  }
}
