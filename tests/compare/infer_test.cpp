#include "compare/infer.h"

#include <doctest/doctest.h>

#include "compare/rename_search.h"
#include "support/error_text.h"
#include "support/shard_builder.h"
#include "support/temporary_folder.h"
#include "transforms/transform_file.h"

using namespace keyshift;
using namespace keyshift::test;

namespace {

// The transforms found, "SOURCE=>TARGET" a line; and that they do what was asked.
std::string found(const std::vector<NamePair>& pairs) {
  const TransformList list = search_renamings(pairs, Interrupt());
  const std::vector<std::string> names = apply_renamings(list, pairs);
  for (std::size_t i = 0; i < pairs.size(); ++i) CHECK(names[i] == pairs[i].to);
  std::string text;
  for (const Transform& transform : list.transforms) {
    if (transform.prefix_to_add) {
      text += "add " + *transform.prefix_to_add + "\n";
    } else if (transform.prefix_to_remove) {
      text += "remove " + *transform.prefix_to_remove + "\n";
    } else {
      text += transform.source_patterns[0] + "=>" + transform.target_patterns[0] + "\n";
    }
  }
  return text;
}

Inferred infer(const std::vector<NamedBytes>& a, const std::vector<NamedBytes>& b) {
  const TemporaryFolder folder;
  InferRequest request;
  request.a = folder.write("a.safetensors", shard_of(a));
  request.b = folder.write("b.safetensors", shard_of(b));
  return infer_transforms(
      request, [](std::uint64_t) {}, [](std::uint64_t) {}, Interrupt());
}

std::string told(const Inferred& inferred) {
  std::string text;
  for (const Unexplained& tensor : inferred.unexplained) {
    text += tensor.why == Unexplained::Why::missing ? "missing " + tensor.a
            : tensor.why == Unexplained::Why::extra ? "extra " + tensor.b
                                                    : "name " + tensor.a + " " + tensor.b;
    text += "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("one renaming explains all layers and leaves other names alone") {
  CHECK(found({{"h.0.attn.w", "h.0.self_attn.w"},
               {"h.1.attn.w", "h.1.self_attn.w"},
               {"h.1.attn_norm.w", "h.1.attn_norm.w"}}) == "attn=>self_attn\n");
}

TEST_CASE("prefixes are added to and taken from all names, or all but some") {
  CHECK(found({{"a.w", "m.a.w"}, {"b.w", "m.b.w"}}) == "add m\n");
  CHECK(found({{"m.a.w", "a.w"}, {"m.b.w", "b.w"}}) == "remove m\n");
  CHECK(found({{"a.w", "m.a.w"}, {"b.w", "m.b.w"}, {"head.w", "head.w"}}) == "^(?!head\\.)=>m.\n");
}

TEST_CASE("context is taken in where a shorter renaming would touch what it must not") {
  CHECK(found({{"enc.norm.w", "enc.ln.w"}, {"dec.norm.w", "dec.norm.w"}}) == "enc\\.norm=>enc.ln\n");
  CHECK(found({{"l.1.a.norm", "l.1.a.ln"},
               {"l.2.a.norm", "l.2.a.ln"},
               {"r.1.a.norm", "r.1.a.norm"},
               {"l.1.b.norm", "l.1.b.norm"}}) == "(l\\.\\d+\\.a)\\.norm=>\\1.ln\n");
}

TEST_CASE("two names that swap go through a third one") {
  const std::string list = found({{"norm1.w", "norm2.w"}, {"norm2.w", "norm1.w"}});
  CHECK(std::count(list.begin(), list.end(), '\n') == 3);
}

TEST_CASE("characters with a meaning in patterns are text") {
  CHECK(found({{"a+b.w", "x.w"}, {"aab.w", "aab.w"}}) == "a\\+b=>x\n");
  CHECK(found({{"a.(b).w", "a.b.w"}}) != "");
}

TEST_CASE("numbers that move by one amount are one transform, others go number by number") {
  CHECK(found({{"l.0.w", "l.1.w"}, {"l.1.w", "l.2.w"}, {"r.0.w", "r.0.w"}}) == "l\\.(\\d+)=>l.\\1\n");
  CHECK(found({{"l.0.w", "l.1.w"}, {"l.1.w", "l.0.w"}, {"l.2.w", "l.2.w"}}) != "");
}

TEST_CASE("layers in reverse order go through names of their own") {
  std::vector<NamePair> pairs;
  for (int i = 0; i < 6; ++i) {
    for (const std::string part : {".q.w", ".k.w"})
      pairs.push_back({"l." + std::to_string(i) + part, "l." + std::to_string(5 - i) + part});
  }
  CHECK(found(pairs) != "");  // which checks every name
}

TEST_CASE("a table without any rule ends with an answer when all looks are used up") {
  std::vector<NamePair> pairs;
  for (int i = 0; i < 1500; ++i)
    pairs.push_back({"a" + std::to_string(i * 7919 % 1500) + ".x", "b" + std::to_string(i) + ".y"});
  const TransformList list = search_renamings(pairs, Interrupt(), 2'000'000);
  CHECK(list.transforms.size() <= 400);
  CHECK(apply_renamings(list, pairs).size() == pairs.size());
}

TEST_CASE("the transforms are found from the bytes, and nothing is needed where the names are the same") {
  const Inferred inferred = infer({{"m.a", "1"}, {"m.b", "2"}}, {{"b", "2"}, {"a", "1"}});
  CHECK(inferred.complete());
  CHECK(inferred.tensors == 2);
  CHECK(inferred.renamed == 2);
  REQUIRE(inferred.transforms.transforms.size() == 1);
  CHECK(inferred.transforms.transforms[0].prefix_to_remove == "m");
  CHECK(infer({{"a", "1"}}, {{"a", "1"}}).transforms.transforms.empty());
}

TEST_CASE("identical tensors are paired as the renaming of the others has it") {
  const Inferred inferred = infer(
      {{"h.0.q.w", "1"}, {"h.0.k.w", "2"}, {"h.0.q.bias", "00"}, {"h.0.k.bias", "00"}, {"h.1.k.bias", "00"}},
      {{"h.0.key.bias", "00"},
       {"h.0.query.bias", "00"},
       {"h.1.key.bias", "00"},
       {"h.0.query.w", "1"},
       {"h.0.key.w", "2"}});
  CHECK(told(inferred) == "");
  CHECK(inferred.transforms.transforms.size() == 2);
}

TEST_CASE("tensors that are all alike are paired by their names") {
  const Inferred inferred = infer({{"l.0.w", "0"}, {"l.1.w", "0"}}, {{"h.1.w", "0"}, {"h.0.w", "0"}});
  CHECK(told(inferred) == "");
  REQUIRE(inferred.transforms.transforms.size() == 1);
  CHECK(inferred.transforms.transforms[0].source_patterns[0] == "l");
}

TEST_CASE("what has no counterpart is listed, and the rest is explained all the same") {
  const Inferred inferred = infer({{"m.a", "1"}, {"m.b", "2"}}, {{"n.a", "1"}, {"n.b", "3"}});
  CHECK(told(inferred) == "missing m.b\nextra n.b\n");
  REQUIRE(inferred.transforms.transforms.size() == 1);
  CHECK(inferred.transforms.transforms[0].source_patterns[0] == "m");
}

TEST_CASE("the search can be interrupted") {
  Interrupt interrupt;
  interrupt.request();
  const std::vector<NamePair> pairs = {{"a", "b"}};
  CHECK(error_text([&] { search_renamings(pairs, interrupt); }) == "interrupted; nothing was published");
}
