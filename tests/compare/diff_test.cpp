#include "compare/diff.h"

#include <doctest/doctest.h>

#include <atomic>

#include "support/error_text.h"
#include "support/sample_checkpoint.h"
#include "transforms/transform_file.h"

using namespace keyshift;
using namespace keyshift::test;

namespace {

// Two single files and what diff says of them: "kind a→b" a row, then the notes.
struct Files {
  TemporaryFolder folder;
  DiffRequest request;

  Files(const std::vector<NamedBytes>& a, const std::vector<NamedBytes>& b,
        std::string_view metadata = R"({"format":"pt"})") {
    request.a = folder.write("a.safetensors", shard_of(a));
    request.b = folder.write("b.safetensors", shard_of(b, metadata));
    request.jobs = 2;
  }
  std::string rows(std::initializer_list<std::string> renames = {}) {
    for (const std::string& rename : renames)
      request.transforms.transforms.push_back(parse_rename_option(rename));
    return rows_of(request);
  }
  static std::string rows_of(const DiffRequest& request) {
    std::uint64_t total = 0;
    std::atomic<std::uint64_t> done{0};
    const Diff result = diff(
        request, [&](std::uint64_t bytes) { total = bytes; }, [&](std::uint64_t bytes) { done += bytes; },
        Interrupt());
    CHECK(done == total);
    std::string text;
    for (const DiffEntry& entry : result.entries) {
      text += std::string(name(entry.kind)) + " " + (entry.a ? std::string(entry.a.tensor->key) : "") + ">" +
              (entry.b ? std::string(entry.b.tensor->key) : "");
      if (entry.bytes)
        text += " " + std::to_string(entry.bytes->count) + "@" + std::to_string(entry.bytes->first);
      text += "\n";
    }
    for (const DiffNote& note : result.notes)
      text += note.what + " " + note.file + ": " + note.message + "\n";
    return text;
  }
};

}  // namespace

TEST_CASE("each tensor is the same, renamed, changed, missing or extra by what it holds") {
  Files files({{"same", "0123"}, {"old", "abcd"}, {"changed", "xxxxxxxx"}, {"gone", "1"}},
              {{"new", "abcd"}, {"changed", "xxyxxxyx"}, {"same", "0123"}, {"more", "22"}});
  CHECK(files.rows() ==
        "same same>same\nrenamed old>new\nchanged changed>changed 2@2\nmissing gone>\nextra >more\n");
}

TEST_CASE("two tensors that swapped names are renamed, not changed") {
  Files files({{"a.norm1", "left"}, {"a.norm2", "rght"}}, {{"a.norm1", "rght"}, {"a.norm2", "left"}});
  CHECK(files.rows() == "renamed a.norm1>a.norm2\nrenamed a.norm2>a.norm1\n");
}

TEST_CASE("a tensor of another dtype or shape has changed, whatever its bytes") {
  Files files({{"w", "0123"}}, {});
  files.folder.write(
      "b.safetensors",
      shard_file(R"({"__metadata__":{"format":"pt"},"w":{"dtype":"U8","shape":[2,2],"data_offsets":[0,4]}})",
                 "0123"));
  CHECK(files.rows() == "changed w>w\n");
}

TEST_CASE("with transforms, the names that they give are the ones expected") {
  Files files({{"lm.a", "0123"}, {"lm.b", "abcd"}}, {{"model.a", "0123"}, {"model.b", "abcX"}});
  CHECK(files.rows() == "renamed lm.a>model.a\nmissing lm.b>\nextra >model.b\n");
  CHECK(files.rows({"^lm=>model"}) == "same lm.a>model.a\nchanged lm.b>model.b 1@3\n");
}

TEST_CASE("identical tensors pair with those whose names end alike, else in order") {
  Files files(
      {{"l.1.q.bias", "00"}, {"l.1.k.bias", "00"}, {"l.2.q.bias", "00"}, {"l.2.k.bias", "00"}, {"x", "00"}},
      {{"h.2.k.bias", "00"}, {"h.2.q.bias", "00"}, {"h.1.k.bias", "00"}, {"h.1.q.bias", "00"}});
  CHECK(files.rows() ==
        "renamed l.1.q.bias>h.1.q.bias\nrenamed l.1.k.bias>h.1.k.bias\nrenamed l.2.q.bias>h.2.q.bias\n"
        "renamed l.2.k.bias>h.2.k.bias\nmissing x>\n");
}

TEST_CASE("a tensor in another shard has moved") {
  TemporaryFolder folder;
  DiffRequest request;
  request.a = write_sample(folder, "a");
  request.b = write_sample(folder, "b");
  CHECK(Files::rows_of(request).find("moved") == std::string::npos);
  folder.write("b/" + kFirstShard, shard_of({{"model.layers.0.mlp.weight", "0123456789"},
                                             {"model.layers.1.mlp.weight", "abcdefghij"},
                                             {"model.norm.weight", "norm"}}));
  folder.write("b/" + kSecondShard, shard_of({{"lm_head.weight", "head!"}}));
  CHECK(Files::rows_of(request) ==
        "same model.layers.0.mlp.weight>model.layers.0.mlp.weight\n"
        "same model.layers.1.mlp.weight>model.layers.1.mlp.weight\n"
        "moved model.norm.weight>model.norm.weight\nsame lm_head.weight>lm_head.weight\n"
        "index " +
            kIndex + ": of B says that \"model.norm.weight\" is in \"" + kSecondShard +
            "\", which is not so\n");
}

TEST_CASE("metadata and index are told where they differ") {
  {
    Files files({{"w", "0"}}, {{"w", "0"}}, R"({"format":"tf","by":"me"})");
    CHECK(files.rows() ==
          "same w>w\nmetadata a.safetensors: __metadata__ \"by\" is missing in A and \"me\" in B\n"
          "metadata a.safetensors: __metadata__ \"format\" is \"pt\" in A and \"tf\" in B\n");
  }
  {
    Files files({{"w", "0"}}, {{"w", "0"}}, "");
    CHECK(files.rows() == "same w>w\nmetadata a.safetensors: __metadata__ is only in A\n");
  }
  TemporaryFolder folder;
  DiffRequest request;
  request.a = write_sample(folder, "a");
  request.b = write_sample(folder, "b");
  std::string index = read_file(request.b / kIndex);
  index.replace(index.find("\"total_size\": 29"), 16, "\"total_size\": 30");
  folder.write("b/" + kIndex, index);
  CHECK(Files::rows_of(request).ends_with("index " + kIndex +
                                          ": metadata \"total_size\" is \"29\" in A and \"30\" in B\n"));
}

TEST_CASE("tensors larger than a window are counted and digested over all windows") {
  std::string a(3'000'000, 'x'), b = a;
  b[0] = b[1'048'576] = b[2'999'999] = 'y';
  {
    Files files({{"w", a}}, {{"w", b}});
    CHECK(files.rows() == "changed w>w 3@0\n");
  }
  {
    std::string late = a;
    late[2'500'000] = 'y';
    Files files({{"w", a}, {"v", late}}, {{"w", late}, {"v", a}});  // equal in their first windows
    CHECK(files.rows() == "renamed w>v\nrenamed v>w\n");
  }
}

TEST_CASE("the comparison of contents can be interrupted") {
  Files files({{"w", "0"}}, {{"w", "0"}});
  Interrupt interrupt;
  interrupt.request();
  CHECK(error_text([&] {
          diff(
              files.request, [](std::uint64_t) {}, [](std::uint64_t) {}, interrupt);
        }) == "interrupted; nothing was published");
}
