#include "tools/key_tree.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <set>

using keyshift::Dtype;
using keyshift::tools::fold_keys;
using keyshift::tools::number_set;
using keyshift::tools::TreeRow;
using keyshift::tools::TreeTensor;

namespace {

const std::vector<std::uint64_t> kShape = {2, 2};
const std::vector<std::uint64_t> kOther = {4};

std::vector<TreeTensor> tensors(const std::vector<std::string>& keys) {
  std::vector<TreeTensor> all;
  for (const std::string& key : keys) all.push_back({key, Dtype::F32, kShape, 16});
  return all;
}

// "depth label count" lines; rows that are no tensor end in a slash.
std::string folded(const std::vector<TreeTensor>& all) {
  std::string out;
  for (const TreeRow& row : fold_keys(all)) {
    out += std::string(2 * static_cast<std::size_t>(row.depth), ' ') + row.label +
           (row.tensor == nullptr ? "/" : "") + " " + std::to_string(row.count) + "\n";
  }
  return out;
}

std::string folded(const std::vector<std::string>& keys) { return folded(tensors(keys)); }

std::string numbers(const std::vector<std::uint64_t>& set) { return number_set(set); }

}  // namespace

TEST_CASE("equal subtrees under numbers are one row") {
  CHECK(folded({"m.layers.0.w", "m.layers.1.w", "m.layers.2.w", "m.norm"}) ==
        "m/ 4\n"
        "  layers.{0..2}.w 3\n"
        "  norm 1\n");
}

TEST_CASE("a gap is shown, and numbers go by value") {
  CHECK(folded({"l.10.w", "l.2.w", "l.1.w", "l.0.w"}) == "l.{0..2,10}.w 4\n");
}

TEST_CASE("subtrees that differ in a name, dtype or shape are rows of their own") {
  const std::vector<std::string> keys = {"l.0.a", "l.1.a", "l.2.a", "l.3.b"};
  std::vector<TreeTensor> all = tensors(keys);
  all[1].shape = kOther;
  all[2].dtype = Dtype::I32;
  CHECK(folded(all) ==
        "l.0.a 1\n"
        "l.1.a 1\n"
        "l.2.a 1\n"
        "l.3.b 1\n");
}

TEST_CASE("alike ones fold around one that differs") {
  CHECK(folded({"l.0.a", "l.1.a", "l.1.b", "l.2.a"}) ==
        "l.{0,2}.a 2\n"
        "l.1/ 2\n"
        "  a 1\n"
        "  b 1\n");
}

TEST_CASE("numbers fold within numbers") {
  std::vector<std::string> keys;
  for (int layer = 0; layer < 3; ++layer) {
    for (int expert = 0; expert < 4; ++expert) {
      for (const char* name : {"up", "down"}) {
        keys.push_back("l." + std::to_string(layer) + ".e." + std::to_string(expert) + "." + name);
      }
    }
  }
  CHECK(folded(keys) ==
        "l.{0..2}.e.{0..3}/ 24\n"
        "  down 12\n"
        "  up 12\n");
}

TEST_CASE("a key may be both a tensor and the beginning of others") {
  CHECK(folded({"a", "a.b", "a.0", "a.1"}) ==
        "a 4\n"
        "  {0..1} 2\n"
        "  b 1\n");
}

TEST_CASE("empty parts, leading zeros and numbers beyond 64 bits are names") {
  CHECK(folded({"a..b", "a.", ".a", ""}) == " 2\n  a 1\na. 2\n  b 1\n");
  CHECK(folded({"l.01.w", "l.1.w", "l.99999999999999999999.w"}) ==
        "l/ 3\n"
        "  1.w 1\n"
        "  01.w 1\n"
        "  99999999999999999999.w 1\n");
}

TEST_CASE("a key of a million parts neither takes long nor overflows the stack") {
  const std::string deep(1'000'000, '.');
  const std::string deeper = deep + "a";
  CHECK(fold_keys(tensors({deep, deeper, deep + "b"})).size() == 4);
}

TEST_CASE("sets of numbers are short") {
  CHECK(numbers({3}) == "3");
  CHECK(numbers({0, 1}) == "{0..1}");
  CHECK(numbers({0, 2}) == "{0,2}");
  CHECK(numbers({0, 2, 4, 6}) == "{0..6..2}");
  CHECK(numbers({0, 1, 2, 5}) == "{0..2,5}");
  CHECK(numbers({0, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18, 20, 21, 23, 24, 26, 27, 29}) ==
        "{0,2..3,5..6,8..9,11..12,14..15,17..18,20..21,23..24,26..27,29}");
  CHECK(numbers({0, 3, 5, 8, 10, 13, 15, 18, 20, 23, 25, 28, 30, 33, 35}) ==
        "{0,3,5,8,10,13,15,18,20,23,…,35}");
}

TEST_CASE("folding loses no tensor and no byte") {
  CHECK(rc::check([] {
    const auto keys = *rc::gen::container<std::set<std::string>>(
        rc::gen::container<std::string>(rc::gen::element('a', 'b', '0', '1', '.')));
    const std::vector<std::string> list(keys.begin(), keys.end());
    const auto rows = fold_keys(tensors(list));
    std::uint64_t count = 0, size = 0;
    for (const TreeRow& row : rows) {
      if (row.depth != 0) continue;
      count += row.count;
      size += row.size;
    }
    RC_ASSERT(count == list.size());
    RC_ASSERT(size == 16 * list.size());
    // The order of the keys does not matter.
    std::vector<std::string> reversed(list.rbegin(), list.rend());
    RC_ASSERT(folded(list) == folded(reversed));
  }));
}
