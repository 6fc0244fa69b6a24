#include "format/find_checkpoint.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "support/error_text.h"
#include "support/sample_checkpoint.h"

using namespace keyshift;
using namespace keyshift::test;
namespace fs = std::filesystem;

namespace {

using Names = std::vector<std::string>;

const std::string kShard = shard_of({{"a", "0123"}});

std::string index_of(const std::string& shard) {
  return R"({"metadata":{"total_size":4},"weight_map":{"a":")" + shard + "\"}}";
}

std::string failure(const fs::path& path, const OpenOptions& options = {}) {
  return error_text([&] { find_checkpoint(path, options); });
}

}  // namespace

TEST_CASE("a file is a checkpoint of its own, without side files, wherever it leads") {
  const TemporaryFolder folder;
  folder.write("elsewhere/x.safetensors", kShard);
  folder.write("here/config.json", "{}");
  fs::create_symlink(folder / "elsewhere/x.safetensors", folder / "here/link.safetensors");
  const CheckpointPlace place = find_checkpoint(folder / "here/link.safetensors");
  CHECK(place.is_single_file);
  CHECK(place.folder == folder / "here");
  CHECK(place.shard_names == Names{"link.safetensors"});
  CHECK(place.side_files.empty());
}

TEST_CASE("an index names shards, and the folder around it the rest") {
  const TemporaryFolder folder;
  const fs::path source = write_sample(folder);
  folder.write("source/original/consolidated.00.pth", "x");
  folder.write("source/pytorch_model.bin.index.json", "{}");
  folder.write("source/.git/config", "x");
  folder.write("source/.cache/huggingface/x.lock", "x");
  folder.write("source/keyshift-receipt.json", "{}");
  folder.write("source/code/model.py", "x");
  folder.write("source/stray.safetensors", kShard);
  for (const fs::path& path : {source, source / kIndex}) {
    const CheckpointPlace place = find_checkpoint(path);
    CHECK(place.index_name == kIndex);
    CHECK(place.shard_names == Names{kFirstShard, kSecondShard});
    CHECK(place.side_files == Names{"code/model.py", "config.json", "tokenizer.json"});
    CHECK(place.other_weights == Names{"original/consolidated.00.pth", "stray.safetensors"});
    CHECK(place.warnings.empty());
    CHECK_FALSE(place.is_single_file);
    CHECK_FALSE(place.hub_cache);
  }
}

TEST_CASE("F25: of several candidates in a folder transformers' choice is taken") {
  const TemporaryFolder folder;
  const auto chosen = [&](const OpenOptions& options = {}) {
    const CheckpointPlace place = find_checkpoint(folder.path(), options);
    return place.index_name ? *place.index_name : place.shard_names.front();
  };
  folder.write("odd.safetensors", kShard);
  CHECK(chosen() == "odd.safetensors");
  folder.write("odd.safetensors.index.json", index_of("odd.safetensors"));
  CHECK(chosen() == "odd.safetensors.index.json");
  folder.write("diffusion_pytorch_model.safetensors", kShard);
  CHECK(chosen() == "diffusion_pytorch_model.safetensors");
  folder.write("adapter_model.safetensors", kShard);
  CHECK(chosen() == "adapter_model.safetensors");
  folder.write("model.safetensors.index.json", index_of("odd.safetensors"));
  CHECK(chosen() == "model.safetensors.index.json");
  folder.write("model.safetensors", kShard);
  CHECK(chosen() == "model.safetensors");
  CHECK(find_checkpoint(folder.path()).warnings ==
        Names{"model.safetensors and model.safetensors.index.json are both here: as transformers does, the "
              "single file "
              "is taken and the index is left out"});
  folder.write("model.safetensors.index.fp16.json", index_of("odd.safetensors"));
  CHECK(chosen({.variant = "fp16"}) == "model.safetensors.index.fp16.json");
  folder.write("model.fp16.safetensors", kShard);
  CHECK(chosen({.variant = "fp16"}) == "model.fp16.safetensors");
  folder.write("config.json", R"({"transformers_weights":"odd.safetensors"})");
  CHECK(chosen() == "odd.safetensors");
  folder.write("config.json", R"({"transformers_weights":"../x.safetensors"})");
  CHECK(failure(folder.path()) == folder.path().string() +
                                      ": config.json names the weights in transformers_weights, and "
                                      "\"../x.safetensors\" has the part `..`: such a "
                                      "path is never followed");
  folder.write("config.json", "no JSON");
  CHECK(chosen() == "model.safetensors");
}

TEST_CASE("F25: where several are meant or none is there, the folder is refused") {
  const TemporaryFolder folder;
  const std::string at = folder.path().string();
  CHECK(failure(folder.path()) == at + ": it holds no .safetensors file");
  CHECK(failure(folder / "none") == at + "/none: does not exist");
  folder.write("pytorch_model.bin", "x");
  CHECK(failure(folder.path()) == at + ": it holds no .safetensors file, only other weights, "
                                       "\"pytorch_model.bin\": save them as safetensors first");
  CHECK(failure(folder / "pytorch_model.bin") == at + "/pytorch_model.bin: is neither a .safetensors file "
                                                      "nor an index (.safetensors.index.json) nor a folder");
  folder.write("a.safetensors", kShard);
  folder.write("b.safetensors", kShard);
  CHECK(failure(folder.path()) == at + ": it holds 2 .safetensors files and no index, \"a.safetensors\", "
                                       "\"b.safetensors\": name the one that is meant");
  CHECK(failure(folder.path(), {.variant = "fp16"}) ==
        at + ": there is no checkpoint of the variant \"fp16\"; the folder holds \"a.safetensors\", "
             "\"b.safetensors\"");
  folder.write("a.safetensors.index.json", index_of("a.safetensors"));
  folder.write("b.safetensors.index.json", index_of("b.safetensors"));
  CHECK(failure(folder.path()) == at + ": it holds 2 indexes, \"a.safetensors.index.json\", "
                                       "\"b.safetensors.index.json\": name the one that is meant");
  REQUIRE(::mkfifo((folder / "fifo").c_str(), 0600) == 0);
  CHECK(failure(folder / "fifo") == at + "/fifo: is a FIFO, not a checkpoint");
  CHECK(failure(folder.path(), {.revision = "main"}) ==
        at + ": a revision was named, but this is no hub cache folder (models--ORG--NAME)");
}

TEST_CASE("the components of a pipeline are named") {
  const TemporaryFolder folder;
  folder.write("model_index.json", "{}");
  folder.write("unet/diffusion_pytorch_model.safetensors", kShard);
  folder.write("vae/diffusion_pytorch_model.safetensors.index.json", index_of("x.safetensors"));
  folder.write("scheduler/scheduler_config.json", "{}");
  CHECK(failure(folder.path()) ==
        folder.path().string() +
            ": it holds no weights itself, but its folders do, \"unet\", \"vae\": name one of them");
  CHECK(find_checkpoint(folder / "unet").shard_names == Names{"diffusion_pytorch_model.safetensors"});
}

TEST_CASE("F26: links are followed inside of the folder only") {
  const TemporaryFolder folder;
  const std::string at = (folder / "c").string();
  folder.write("outside.safetensors", kShard);
  folder.write("secret.txt", "x");
  folder.write("c/blob", kShard);
  fs::create_symlink("blob", folder / "c/model.safetensors");
  fs::create_symlink("../secret.txt", folder / "c/config.json");
  fs::create_symlink("nowhere", folder / "c/dangling.json");
  REQUIRE(::mkfifo((folder / "c/fifo").c_str(), 0600) == 0);
  fs::create_directory_symlink("..", folder / "c/up");
  const CheckpointPlace place = find_checkpoint(folder / "c");
  CHECK(place.shard_names == Names{"model.safetensors"});
  CHECK(place.side_files == Names{"blob"});
  const std::string root = fs::canonical(folder.path()).string();
  CHECK(place.warnings ==
        Names{"\"config.json\" is left out: it leads to \"" + root +
                  "/secret.txt\", outside of the checkpoint's folder",
              "\"dangling.json\" is left out: it is a link that leads nowhere",
              "\"fifo\" is left out: it is a FIFO",
              "\"up\" is left out: it leads to \"" + root + "\", outside of the checkpoint's folder"});

  fs::remove(folder / "c/model.safetensors");
  fs::create_symlink("../outside.safetensors", folder / "c/model.safetensors");
  CHECK(failure(folder / "c") ==
        at + "/model.safetensors: the shard leads to \"" + root +
            "/outside.safetensors\", outside of the checkpoint's folder: it is not followed; copy "
            "the file into the folder");
  fs::remove(folder / "c/model.safetensors");
  folder.write("outside.json", index_of("blob.safetensors"));
  fs::create_symlink("../outside.json", folder / "c/model.safetensors.index.json");
  CHECK(failure(folder / "c") ==
        at + "/model.safetensors.index.json: the index leads to \"" + root +
            "/outside.json\", outside of the checkpoint's folder: it is not followed");
}

TEST_CASE("F26: what an index names must be a file, and each only once") {
  const TemporaryFolder folder;
  const std::string at = folder.path().string();
  folder.write(kIndex, index_of("x.safetensors"));
  CHECK(failure(folder.path()) == at + "/x.safetensors: the shard that \"model.safetensors.index.json\" "
                                       "names cannot be found (No such file or directory): the download "
                                       "is not complete, fetch the file");
  fs::create_directory(folder / "x.safetensors");
  CHECK(failure(folder.path()) == at + "/x.safetensors: the shard is a folder, and it must be a file");
  fs::remove(folder / "x.safetensors");
  REQUIRE(::mkfifo((folder / "x.safetensors").c_str(), 0600) == 0);
  CHECK(failure(folder.path()) == at + "/x.safetensors: the shard is a FIFO, and it must be a file");
  fs::remove(folder / "x.safetensors");
  fs::create_symlink("x.safetensors", folder / "x.safetensors");
  CHECK(failure(folder.path()) == at + "/x.safetensors: the shard that \"model.safetensors.index.json\" "
                                       "names cannot be found (Too many levels of symbolic links): the "
                                       "download is not complete, fetch the file");
  fs::remove(folder / "x.safetensors");
  folder.write("x.safetensors", kShard);
  fs::create_hard_link(folder / "x.safetensors", folder / "y.safetensors");
  folder.write(kIndex, R"({"metadata":{},"weight_map":{"a":"x.safetensors","b":"y.safetensors"}})");
  CHECK(failure(folder.path()) ==
        at + ": \"x.safetensors\" and \"y.safetensors\" are one file under two names: it would be "
             "read and written twice");
}

TEST_CASE("F29: who mends an index gets the shards of a complete set") {
  const TemporaryFolder folder;
  const std::string at = folder.path().string();
  folder.write(kFirstShard, kShard);
  folder.write(kSecondShard, kShard);
  const OpenOptions mending = {.tolerate_index_mismatch = true};
  CHECK(failure(folder.path()) ==
        at + ": it holds 2 shards and no index, \"model-00001-of-00002.safetensors\", "
             "\"model-00002-of-00002.safetensors\": "
             "no loader takes them like that; `keyshift reindex` writes the index");
  CHECK(find_checkpoint(folder.path(), mending).shard_names == Names{kFirstShard, kSecondShard});
  folder.write(kIndex, index_of("old.safetensors"));
  const CheckpointPlace place = find_checkpoint(folder.path(), mending);
  CHECK(place.shard_names == Names{kFirstShard, kSecondShard});
  CHECK_FALSE(place.index_name);
  CHECK(place.warnings == Names{"the index cannot be used: " + at +
                                "/old.safetensors: the shard that \"model.safetensors.index.json\" names "
                                "cannot be found (No such file or directory): the download is "
                                "not complete, fetch the file"});
  fs::remove(folder / kFirstShard);
  folder.write("model-00003-of-00003.safetensors", kShard);
  CHECK(failure(folder.path(), mending) == failure(folder.path()));
}

TEST_CASE("shards of one complete set are told by their names") {
  CHECK(shards_by_name({"a.safetensors"}) == Names{"a.safetensors"});
  const Names set = {"m-00001-of-00002.safetensors", "m-00002-of-00002.safetensors"};
  CHECK(shards_by_name(set) == set);
  CHECK(shards_by_name({}).empty());
  CHECK(shards_by_name({"m-00001-of-00003.safetensors", "m-00002-of-00003.safetensors"}).empty());
  CHECK(shards_by_name({"m-00001-of-00002.safetensors", "n-00002-of-00002.safetensors"}).empty());
  CHECK(shards_by_name({"m-00001-of-00002.safetensors", "m-000001-of-00002.safetensors"}).empty());
  CHECK(shards_by_name({"m-00001-of-00002.safetensors", "x.safetensors"}).empty());
  CHECK(shards_by_name({"m-00000-of-00002.safetensors", "m-00001-of-00002.safetensors"}).empty());
}

TEST_CASE("a hub cache folder is the snapshot that was asked for") {
  const TemporaryFolder folder;
  const fs::path cache = folder / "models--org--name";
  const std::string at = cache.string();
  const std::string old(40, 'a'), current(40, 'b');
  for (const std::string& commit : {old, current}) {
    folder.write("models--org--name/blobs/" + commit, kShard);
    fs::create_directories(cache / "snapshots" / commit);
    fs::create_symlink("../../blobs/" + commit, cache / "snapshots" / commit / "model.safetensors");
    fs::create_symlink("../../blobs/" + commit, cache / "snapshots" / commit / "config.json");
  }
  CHECK(failure(cache) == at + ": this hub cache holds no snapshot of \"main\"; it holds " + old + ", " +
                              current + ": name one with --revision");
  folder.write("models--org--name/refs/main", current + "\n");
  folder.write("models--org--name/refs/v1", old);
  const auto snapshot = [&](const std::string& revision) {
    const CheckpointPlace place = find_checkpoint(cache, {.revision = revision});
    CHECK(place.hub_cache == fs::canonical(cache));
    CHECK(place.side_files == Names{"config.json"});
    CHECK(place.warnings.empty());
    return place.folder.filename();
  };
  CHECK(snapshot("") == current);
  CHECK(snapshot("main") == current);
  CHECK(snapshot("v1") == old);
  CHECK(snapshot(old) == old);
  CHECK(find_checkpoint(cache / "snapshots" / old).hub_cache == fs::canonical(cache));
  CHECK(failure(cache, {.revision = "../refs"}) ==
        at + ": this hub cache holds no snapshot of \"../refs\"; it holds " + old + ", " + current +
            ": name one with --revision");
  folder.write("models--org--name/refs/v2", std::string(40, 'c'));
  CHECK(failure(cache, {.revision = "v2"}) == at + ": this hub cache holds no snapshot of \"v2\" (commit \"" +
                                                  std::string(40, 'c') + "\"); it holds " + old + ", " +
                                                  current + ": name one with --revision");
  // A link from one cache into another one's blobs is a link outside.
  folder.write("models--other/blobs/x", kShard);
  fs::remove(cache / "snapshots" / old / "model.safetensors");
  fs::create_symlink(folder / "models--other/blobs/x", cache / "snapshots" / old / "model.safetensors");
  CHECK(failure(cache, {.revision = "v1"}).find("outside of the checkpoint's folder") != std::string::npos);
}

TEST_CASE("a hub cache with one snapshot and no refs is that snapshot") {
  const TemporaryFolder folder;
  folder.write("models--a/blobs/x", kShard);
  fs::create_directories(folder / "models--a/snapshots/1234");
  fs::create_symlink("../../blobs/x", folder / "models--a/snapshots/1234/model.safetensors");
  CHECK(find_checkpoint(folder / "models--a").folder.filename() == "1234");
}
