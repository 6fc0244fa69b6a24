#include "engine/recover.h"

#include <fmt/format.h>

#include "base/json_writer.h"
#include "base/parallel.h"
#include "tools/command.h"
#include "tools/style.h"

namespace keyshift::tools {

namespace {

std::string_view word(Recovered outcome) {
  return outcome == Recovered::finished ? "finished" : "rolled back";
}

std::string text_of(const RecoverResult& result, const std::string& path, const Style& style) {
  std::string out;
  for (const RecoverResult::Run& run : result.runs) {
    out += style.bold(fmt::format("{} {}", word(run.outcome), printable(run.journal.string()))) + ": ";
    const std::string_view now = run.outcome == Recovered::finished ? "new" : "old";
    out += fmt::format("{} had been changed of {}, all are the {} ones now\n", grouped(run.done),
                       counted(run.files.size(), "file"), now);
  }
  if (!result.leftovers.empty()) {
    out += fmt::format("removed {} that a run had prepared before it changed anything\n",
                       counted(result.leftovers.size(), "file"));
  }
  if (out.empty())
    out = fmt::format("nothing to recover: no in-place run was interrupted in {}\n", printable(path));
  return out;
}

std::string json_of(const RecoverResult& result, const std::string& path) {
  json::Writer out;
  out.begin_object().key("schema").string("keyshift-recover/1").key("path").string(path_text(path));
  out.key("runs").begin_array();
  for (const RecoverResult::Run& run : result.runs) {
    out.begin_object().key("journal").string(path_text(run.journal));
    out.key("outcome").string(run.outcome == Recovered::finished ? "finished" : "rolled_back");
    out.key("changed_before").number(std::uint64_t{run.done}).key("files").begin_array();
    for (const std::string& file : run.files) out.string(path_text(file));
    out.end_array().end_object();
  }
  out.end_array().key("removed").begin_array();
  for (const std::string& name : result.leftovers) out.string(path_text(name));
  out.end_array().end_object();
  return std::move(out.text()) + '\n';
}

class Recover : public Command {
 public:
  void declare(Options& options) override {
    options.argument("PATH", "the folder, index or .safetensors file that an in-place run was given", path_);
    options.heading("What to do");
    options.flag("--roll-back", "bring the old files back, also where the run could be finished", roll_back_);
    options.number("--jobs", "N", "threads; default: one for each processor", 1, jobs_);
    options.heading("Output");
    options.flag("--json", "one JSON object, schema keyshift-recover/1", json_);
  }

  int run(Console& console) override {
    const RecoverResult result = recover(path_, roll_back_, jobs_ != 0 ? jobs_ : available_processors());
    if (console.quiet && !json_) return kDone;
    return console.answer(json_ ? json_of(result, path_) : text_of(result, path_, Style(console.colour)),
                          kDone);
  }

 private:
  std::string path_;
  bool roll_back_ = false, json_ = false;
  unsigned jobs_ = 0;
};

}  // namespace

namespace described {
extern const CommandInfo recover{
    "recover", "finishes or rolls back an in-place run that was interrupted",
    "A run of `convert --in-place` that is killed, or a power cut, leaves a journal in the folder "
    "(.keyshift-journal)\n"
    "that every other command refuses to pass. recover brings all files to their new state, or, where that "
    "cannot\n"
    "be, back to their old one: never some of each. It may be interrupted and called again.\n",
    "  keyshift recover llava-hf/\n"
    "  keyshift recover model.safetensors --roll-back\n",
    [] { return std::unique_ptr<Command>(new Recover); }};
}  // namespace described

}  // namespace keyshift::tools
