#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>

#include "transforms/renaming.h"

using namespace keyshift;

namespace {

using Keys = std::vector<std::string>;

Keys sorted(Keys keys) {
  std::stable_sort(keys.begin(), keys.end(), dot_natural_less);
  return keys;
}

// Keys in which numbers look alike, touch texts and leave ASCII.
rc::Gen<std::string> key() {
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
                          "0", "1", "00", "01", "9", "10", "w", "w1", "_", ".", ".", ".", "²", "٣", "é")),
                      [](const std::vector<std::string>& parts) {
                        std::string out;
                        for (const auto& part : parts) out += part;
                        return out;
                      });
}

bool tie(const std::string& a, const std::string& b) {
  return !dot_natural_less(a, b) && !dot_natural_less(b, a);
}

}  // namespace

TEST_CASE("numbers between dots are ordered by value and come before texts") {
  CHECK(sorted({"a.10", "a.9", "a.x", "a.2b", "a", "a.", "b", "A"}) ==
        Keys{"A", "a", "a.9", "a.10", "a.", "a.2b", "a.x", "b"});
  CHECK(sorted({"1e5", "1e10", "1e", "00", "0", "a0", "a00", "a"}) ==
        Keys{"00", "0", "1e", "1e5", "1e10", "a", "a0", "a00"});
}

TEST_CASE("a number at the end of a text is ordered by value") {
  CHECK(sorted({"w_10", "w_9", "w_", "w", "w1"}) == Keys{"w", "w1", "w_", "w_9", "w_10"});
  CHECK(sorted({"layers.1.shard_11", "layers.1.shard_2", "layers.1.shard", "layers.-1.x", "layers.+1.x"}) ==
        Keys{"layers.1.shard", "layers.1.shard_2", "layers.1.shard_11", "layers.+1.x", "layers.-1.x"});
}

TEST_CASE("numbers that are equal tie, and a stable sort keeps their order") {
  CHECK(sorted({"w1.a", "w01.a", "w1"}) == Keys{"w1", "w1.a", "w01.a"});
  CHECK(sorted({"w01.a", "w1.a", "w01"}) == Keys{"w01", "w01.a", "w1.a"});
  CHECK(sorted({"e.02.x", "e.2.w"}) == Keys{"e.2.w", "e.02.x"});
  CHECK(tie("a.0", "a.000"));
}

TEST_CASE("numbers beyond 64 bits are ordered by value") {
  CHECK(sorted({"x.100000000000000000000", "x.99999999999999999999", "x.5"}) ==
        Keys{"x.5", "x.99999999999999999999", "x.100000000000000000000"});
  const std::string huge(5000, '9');
  CHECK(dot_natural_less("x." + huge, "x.1" + huge));
  CHECK(dot_natural_less("x" + huge + ".a", "x1" + huge));
}

TEST_CASE("digits of other scripts are numbers between dots, but text at the end of a text") {
  CHECK(sorted({"x.٣", "x.2", "x.10", "x.a"}) == Keys{"x.2", "x.٣", "x.10", "x.a"});
  CHECK(sorted({"x.1٣", "x.13", "x.12"}) == Keys{"x.12", "x.1٣", "x.13"});
  CHECK(sorted({"x.a٣", "x.a2", "x.a10"}) == Keys{"x.a2", "x.a10", "x.a٣"});
}

TEST_CASE("a digit that is no decimal is text, where Python's order fails") {
  CHECK(sorted({"x.²", "x.5", "x.²1", "x.²10", "x.²2", "x.1²"}) ==
        Keys{"x.5", "x.1²", "x.²", "x.²1", "x.²2", "x.²10"});
}

TEST_CASE("texts are ordered by code point, and a key that ends first comes first") {
  CHECK(sorted({"é.1", "z.1", "e.1", "Z.1", "\U0001F600.1", "\uFF21.1"}) ==
        Keys{"Z.1", "e.1", "z.1", "é.1", "\uFF21.1", "\U0001F600.1"});
  CHECK(sorted({"", ".", "a", "0"}) == Keys{"0", "", ".", "a"});
}

TEST_CASE("property: the order is a strict weak order") {
  CHECK(rc::check("irreflexive and asymmetric", [] {
    const auto a = *key(), b = *key();
    RC_ASSERT(!dot_natural_less(a, a));
    RC_ASSERT(!(dot_natural_less(a, b) && dot_natural_less(b, a)));
  }));
  CHECK(rc::check("transitive, ties included", [] {
    const auto a = *key(), b = *key(), c = *key();
    if (dot_natural_less(a, b) && dot_natural_less(b, c)) RC_ASSERT(dot_natural_less(a, c));
    if (tie(a, b) && tie(b, c)) RC_ASSERT(tie(a, c));
    if (tie(a, b) && dot_natural_less(b, c)) RC_ASSERT(dot_natural_less(a, c));
  }));
}
