#include "tools/command.h"
#include "tools/commands/conversion.h"

namespace keyshift::tools {

namespace {

class Plan : public Command {
 public:
  void declare(Options& options) override {
    conversion_.declare_paths(options);
    conversion_.declare(options);
    options.heading("Output");
    options.flag("--json", "one JSON object, schema keyshift-plan/1", json_);
  }

  int run(Console& console) override {
    const Conversion conversion = conversion_.make();
    note_receipt_of(conversion, console);
    return show_plan(conversion, json_, console);
  }

 private:
  ConversionOptions conversion_;
  bool json_ = false;
};

}  // namespace

namespace described {
extern const CommandInfo plan{
    "plan", "shows what convert would do, and writes nothing",
    "Every output shard with its header, where its bytes come from and how they move (shared blocks, a copy "
    "in the\n"
    "kernel, a stream with digests), the new names, the space needed. The same as convert --dry-run.\n",
    "  keyshift plan llava-hf/ converted/ --transforms rules.json\n"
    "  keyshift plan big/ small/ --max-shard-size 5GB --json\n",
    [] { return std::unique_ptr<Command>(new Plan); }};
}  // namespace described

}  // namespace keyshift::tools
