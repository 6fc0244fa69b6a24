#include "engine/reindex.h"

#include <fmt/format.h>

#include "base/json_writer.h"
#include "tools/command.h"
#include "tools/source_options.h"
#include "tools/style.h"

namespace keyshift::tools {

namespace {

std::string changes_text(const ReindexResult& result) {
  if (!result.was_there)
    return fmt::format("{} in {}", counted(result.tensors, "key"), counted(result.shards, "shard"));
  std::string out = fmt::format("{} added, {} removed, {} in other shards", counted(result.added, "key"),
                                grouped(result.removed), grouped(result.moved));
  if (result.added + result.removed + result.moved == 0) out = "total_size mended";
  return out;
}

std::string text_of(const ReindexResult& result, const std::string& path, const Style& style) {
  if (result.index_name.empty())
    return fmt::format("{}: one shard, which needs no index; nothing to do\n", printable(path));
  const std::string name = printable(result.index_name);
  if (!result.written) return fmt::format("{}: {} is right; nothing to do\n", printable(path), name);
  return style.bold(fmt::format("{} {}", result.was_there ? "mended" : "wrote", name)) +
         fmt::format(": {}, total_size {}\n", changes_text(result), grouped(result.total_size));
}

std::string json_of(const ReindexResult& result) {
  json::Writer out;
  out.begin_object().key("schema").string("keyshift-reindex/1");
  out.key("index");
  result.index_name.empty() ? out.null() : out.string(path_text(result.index_name));
  out.key("was_there").boolean(result.was_there).key("written").boolean(result.written);
  out.key("shards").number(result.shards).key("tensors").number(result.tensors);
  out.key("total_size").number(result.total_size).key("added").number(result.added);
  out.key("removed").number(result.removed).key("moved").number(result.moved).end_object();
  return std::move(out.text()) + '\n';
}

class Reindex : public Command {
 public:
  void declare(Options& options) override {
    options.argument("PATH", "a folder with shards, or the index in it", path_);
    source_.declare(options);
    options.heading("Output");
    options.flag("--json", "one JSON object, schema keyshift-reindex/1", json_);
  }

  int run(Console& console) override {
    const ReindexResult result = reindex(path_, source_.open_options());
    warn_of(result.warnings, console);
    if (console.quiet && !json_) return kDone;
    return console.answer(json_ ? json_of(result) : text_of(result, path_, Style(console.colour)), kDone);
  }

 private:
  std::string path_;
  bool json_ = false;
  SourceOptions source_;
};

}  // namespace

namespace described {
extern const CommandInfo reindex{"reindex", "writes the index that the shards deserve",
                                 "The shards decide which key lies where: an index that is missing, stale or "
                                 "wrong is written anew, in its place,\n"
                                 "all at once; metadata such as total_parameters stays. One that is right is "
                                 "left alone, whatever its form.\n",
                                 "  keyshift reindex converted/\n",
                                 [] { return std::unique_ptr<Command>(new Reindex); }};
}  // namespace described

}  // namespace keyshift::tools
