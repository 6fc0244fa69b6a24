#include "tools/commands/digest.h"

#include <fmt/format.h>

#include "base/file_system.h"
#include "receipt/manifest.h"
#include "tools/command.h"
#include "tools/progress_bar.h"
#include "tools/source_options.h"

namespace keyshift::tools {

namespace {

// `keyshift digest . > DIGESTS`: the file that our own answer goes to is no part of the checkpoint.
bool is_answer(const std::filesystem::path& path) {
  const NamedFile out = look_at("/dev/stdout");
  const NamedFile file = look_at(path);
  return out.failure == 0 && file.failure == 0 && file.device == out.device && file.inode == out.inode;
}

class DigestCommand : public Command {
 public:
  void declare(Options& options) override {
    options.argument("PATH", "a .safetensors file, an index, a folder or a hub cache folder", path_);
    options.heading("Which digests");
    options.flag("--sha256",
                 "SHA-256: as lines for sha256sum -c; with --json beside XXH3-128, of the same read",
                 sha256_);
    source_.declare(options);
    options.heading("Output (default: lines for xxhsum -c)");
    options.flag("--json",
                 "one JSON object, schema keyshift-digest/1: per file, header, data section and tensor",
                 json_);
    options.choice(
        "--statement", {"files", "shards"},
        "an unsigned in-toto statement as OpenSSF model-signing lays it out, by whole files or by pieces of "
        "a gigabyte",
        statement_);
    progress_.declare(options);
  }

  int run(Console& console) override {
    if (json_ && !statement_.empty())
      throw Error(ErrorKind::usage, "--json and --statement exclude each other");
    const Checkpoint checkpoint = Checkpoint::open(path_, source_.open_options());
    if (!statement_.empty() && checkpoint.place().is_single_file)
      throw Error(ErrorKind::usage, "a statement tells of a folder; name the folder, not a file in it")
          .in(path_);
    warn_of(checkpoint.warnings(), console);
    Digested digested{checkpoint, files_of(checkpoint.place()), {}};
    std::erase_if(digested.files, [&](const CheckpointFile& file) {
      return file.kind == CheckpointFile::Kind::side_file && is_answer(checkpoint.place().folder / file.name);
    });
    digest(digested, console);
    if (!statement_.empty()) return console.answer(digest_statement(digested, statement_ == "shards"), kDone);
    return console.answer(json_ ? digest_json(digested) : digest_text(digested, sha256_), kDone);
  }

 private:
  void digest(Digested& digested, Console& console) const {
    DigestWants wants;
    wants.sha256 = sha256_ || statement_ == "files";
    wants.sha256_pieces = statement_ == "shards" ? kStatementPiece : 0;
    wants.tensors = json_;
    std::uint64_t total = 0;
    for (const CheckpointFile& file : digested.files) total += file.size;
    ProgressBar progress(console, progress_.shown(console));
    progress.begin("digesting", total);
    digested.digests = digest_files(
        digested.checkpoint, digested.files, wants, source_.jobs(),
        [&](std::uint64_t bytes) { progress.advance(bytes); }, console.interrupt);
    progress.end();
  }

  std::string path_, statement_;
  bool sha256_ = false, json_ = false;
  SourceOptions source_;
  ProgressOption progress_;
};

}  // namespace

namespace described {
extern const CommandInfo digest{
    "digest", "digests of a checkpoint's files and tensors",
    "One line a file (shards, index, side files, receipt), with names relative to PATH. Each byte is read "
    "once. As JSON\n"
    "also of each tensor, whatever its name and shard: \"contents\" is one value that two checkpoints share "
    "whose tensors\n"
    "are the same under other names or in other shards.\n",
    "  keyshift digest model/ > model.xxh128 && (cd model && xxhsum -c --strict ../model.xxh128)\n"
    "  keyshift digest model/ --sha256\n"
    "  keyshift digest model/ --statement files > model.statement.json\n",
    [] { return std::unique_ptr<Command>(new DigestCommand); }};
}  // namespace described

}  // namespace keyshift::tools
