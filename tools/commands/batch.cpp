#include "tools/commands/batch.h"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>

#include "base/file_system.h"
#include "keyshift.h"
#include "tools/command.h"
#include "tools/commands/batch_run.h"
#include "tools/commands/conversion.h"
#include "tools/commands/rename.h"
#include "tools/progress_bar.h"
#include "tools/style.h"

namespace keyshift::tools {

namespace fs = std::filesystem;

namespace {

using Status = BatchResult::Status;

std::uint64_t bytes_of(const CheckpointPlace& place) {
  std::uint64_t sum = 0;
  std::error_code ignored;
  for (const std::string& name : place.shard_names) {
    const std::uint64_t size = fs::file_size(place.folder / name, ignored);
    if (!ignored) sum += size;
  }
  return sum;
}

// The part of one checkpoint in the progress of all: never more than its share, and all of it in the end.
class Share : public Progress {
 public:
  Share(Progress& all, std::uint64_t share) : all_(all), left_(share) {}
  ~Share() override { all_.advance(left_.exchange(0)); }
  void begin(std::string_view, std::uint64_t) override {}
  void advance(std::uint64_t bytes) override {
    std::uint64_t left = left_.load();
    std::uint64_t taken = 0;
    do taken = std::min(left, bytes);
    while (!left_.compare_exchange_weak(left, left - taken));
    all_.advance(taken);
  }
  void end() override {}

 private:
  Progress& all_;
  std::atomic<std::uint64_t> left_;
};

class Batch : public Command {
 public:
  void declare(Options& options) override {
    options.argument("LIST",
                     "a file with a line for each checkpoint: SRC, a tab, DST, and perhaps a tab and a "
                     "transform file of its own; or a JSON object a line; - is standard input",
                     list_);
    options.heading("What to do");
    options.flag(
        "--resume",
        "let what is done already be: a DST whose receipt tells of this very conversion, and whose files "
        "have its digests",
        resume_);
    options.flag("--dry-run", "make every plan, write nothing", dry_run_);
    options.flag(
        "--in-place",
        "change the files themselves, behind a journal: a line is PATH, and perhaps a tab and a transform "
        "file; --resume recovers what was interrupted",
        in_place_);
    options.flag("--force", "replace checkpoints that are at a DST (never any other folder)", force_);
    options.number("--task-index", "I", "do only every N-th line, from line I on, counted from 0", 0,
                   task_index_);
    options.number("--task-count", "N", "the number of tasks that share the list", 1, task_count_);
    conversion_.declare(options);
    options.heading("Output");
    options.flag("--json", "a JSON object a line, schema keyshift-batch/1; the last one is the summary",
                 json_);
    progress_.declare(options);
  }

  int run(Console& console) override {
    const auto began = std::chrono::steady_clock::now();
    const std::vector<BatchLine> lines = lines_of_this_task(console);
    std::vector<std::uint64_t> shares(lines.size());
    std::vector<unsigned> shards(lines.size(), 1);
    const std::uint64_t total = survey(lines, shares, shards);

    ProgressBar progress(console, progress_.shown(console));
    progress.begin(fmt::format("{} in all", counted(lines.size(), "checkpoint")), total);
    BatchSummary summary;
    summary.checkpoints = lines.size();
    std::exception_ptr lost;  // the first failure to tell
    run_within_budget(
        lines.size(), conversion_.source().jobs(), [&](std::size_t i) { return shards[i]; },
        [&](std::size_t i, unsigned jobs) {
          Share share(progress, shares[i]);
          const BatchResult result = work(lines[i], jobs, share, console.interrupt);
          progress.aside([&] {
            summary.add(result);
            try {
              tell(lines[i], result, console);
            } catch (...) {
              if (!lost) lost = std::current_exception();
            }
          });
        });
    progress.end();
    summary.seconds = seconds_since(began);
    if (lost) rethrow_unless_reader_gone(lost);
    return finish(summary, console);
  }

 private:
  static double seconds_since(std::chrono::steady_clock::time_point began) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  }

  std::vector<BatchLine> lines_of_this_task(Console& console) const {
    if (task_index_ >= task_count_)
      throw Error(
          ErrorKind::usage,
          fmt::format("--task-index counts from 0 and is below --task-count, which is {}", task_count_));
    if (in_place_ && force_)
      throw Error(ErrorKind::usage, "--force replaces what is at a DST, and --in-place has none");
    constexpr std::uint64_t kMaxList = std::uint64_t{1} << 30U;  // bytes
    const bool from_input = list_ == "-";
    const std::string name = from_input ? "standard input" : list_;
    std::error_code ignored;
    if (!from_input && !fs::exists(list_, ignored))
      throw Error(ErrorKind::batch_invalid, "does not exist").in(list_);
    const std::string text =
        from_input ? read_all(console.in, console.interrupt) : read_small_file(list_, kMaxList);
    const BatchKind kind = in_place_ ? BatchKind::in_place : BatchKind::copies;
    const std::vector<BatchLine> all = parse_batch(text, name, kind);
    refuse_conflicts(all, text, name, kind);
    std::vector<BatchLine> mine;
    for (std::size_t i = task_index_; i < all.size(); i += task_count_) mine.push_back(all[i]);
    return mine;
  }

  // How much there is to do. What cannot be found here is reported when its turn comes.
  std::uint64_t survey(const std::vector<BatchLine>& lines, std::vector<std::uint64_t>& shares,
                       std::vector<unsigned>& shards) const {
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      try {
        const CheckpointPlace place = find_checkpoint(lines[i].source, conversion_.source().open_options());
        shares[i] = bytes_of(place);
        shards[i] = static_cast<unsigned>(place.shard_names.size());
        total += shares[i];
      } catch (const Error&) {
      }
    }
    return total;
  }

  BatchResult work(const BatchLine& line, unsigned jobs, Progress& progress,
                   const Interrupt& interrupt) const {
    const auto began = std::chrono::steady_clock::now();
    BatchResult result;
    try {
      interrupt.check();
      convert(line, jobs, progress, interrupt, result);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::interrupted) fail(result, error.kind(), error.what());
    } catch (const std::bad_alloc&) {
      fail(result, ErrorKind::io, "not enough memory; nothing was published");
    } catch (const std::exception& failure) {
      fail(result, ErrorKind::io,
           fmt::format("unexpected: {}; this is a fault of keyshift, please report it", failure.what()));
    }
    result.seconds = seconds_since(began);
    return result;
  }

  static void fail(BatchResult& result, ErrorKind kind, std::string what) {
    result.status = Status::failed;
    result.error_kind = kind;
    result.error = std::move(what);
  }

  void convert(const BatchLine& line, unsigned jobs, Progress& progress, const Interrupt& interrupt,
               BatchResult& result) const {
    if (in_place_ && resume_ && !dry_run_) recover(line.source, false, jobs);
    Conversion conversion = conversion_.make(line.source, line.destination, line.transforms, jobs);
    const GivenTransforms& given = conversion.given;
    RewriteRequest& request = conversion.request;
    request.force = force_;
    request.resume = resume_;
    if (in_place_) return convert_in_place({request.plan, jobs}, given, progress, interrupt, result);
    if (resume_ && is_finished(request, progress, interrupt)) {
      result.status = Status::already;
      return;
    }
    if (dry_run_) {
      const PreparedPlan prepared = plan_rewrite(request);
      result.tensors = prepared.keys->kept();
      result.changed = prepared.keys->changed();
      result.bytes = prepared.plan.data_bytes();
      note(given, prepared.keys->used(), prepared.checkpoint->warnings(), result);
      result.rewritten = prepared.plan.rewritten;
      result.status = Status::planned;
      return;
    }
    const RewriteResult done = rewrite(request, progress, interrupt);
    result.tensors = done.tensors;
    result.changed = done.changed;
    result.bytes = done.data_bytes;
    result.receipt_digest = done.receipt_digest.hex();
    note(given, done.used, done.warnings, result);
    result.rewritten = done.rewritten;
    result.status = Status::converted;
  }

  void convert_in_place(const InPlaceRequest& request, const GivenTransforms& given, Progress& progress,
                        const Interrupt& interrupt, BatchResult& result) const {
    if (resume_ && is_finished_in_place(request.plan, interrupt)) {
      result.status = Status::already;
      return;
    }
    const InPlacePlan plan = plan_in_place(request);
    result.tensors = plan.tensors;
    result.changed = plan.changed;
    note(given, plan.used, plan.prepared.checkpoint->warnings(), result);
    result.rewritten = plan.prepared.plan.rewritten;
    if (!dry_run_) carry_out_in_place(plan, request.jobs, progress, interrupt);
    result.status = dry_run_ ? Status::planned : Status::converted;
  }

  // What is there and is not this conversion's result gives way to --force only.
  bool is_finished(const RewriteRequest& request, Progress& progress, const Interrupt& interrupt) const {
    std::error_code ignored;
    if (!fs::exists(fs::symlink_status(request.destination, ignored))) return false;
    if (fs::is_directory(request.destination, ignored) && fs::is_empty(request.destination, ignored))
      return false;
    const std::optional<std::string> why = why_not_finished(request, progress, interrupt);
    if (!why) return true;
    if (force_) return false;
    throw Error(ErrorKind::usage, *why + "; choose another destination, or --force to replace it")
        .in(request.destination.string());
  }

  static void note(const GivenTransforms& given, const std::vector<bool>& used,
                   const std::vector<std::string>& warnings, BatchResult& result) {
    result.warnings = warnings;
    for (std::string& sentence : unused_transforms(given.transforms, used))
      result.warnings.push_back(std::move(sentence));
  }

  void tell(const BatchLine& line, const BatchResult& result, Console& console) const {
    if (json_) return console.out.write(batch_json(line, result));
    for (const std::string& warning : result.warnings)
      console.warn(fmt::format("line {}: {}", line.number, warning));
    if (result.status == Status::failed) console.error(fmt::format("line {}: {}", line.number, result.error));
    if (!console.quiet) console.out.write(batch_text(line, result));
  }

  static void rethrow_unless_reader_gone(const std::exception_ptr& lost) {
    try {
      std::rethrow_exception(lost);
    } catch (const ReaderGone&) {  // nobody wants to know; the work is done all the same
    }
  }

  int finish(const BatchSummary& summary, Console& console) const {
    int code = summary.of(Status::failed) == 0 ? kDone : kAnswerIsNo;
    if (summary.of(Status::interrupted) != 0) {
      console.error("interrupted; what is done stays, and --resume goes on from there");
      code = kInterrupted;
    }
    if (console.quiet && !json_) return code;
    return console.answer(json_ ? summary_json(summary) : summary_text(summary), code);
  }

  std::string list_;
  bool resume_ = false, dry_run_ = false, in_place_ = false, force_ = false, json_ = false;
  unsigned task_index_ = 0, task_count_ = 1;
  ConversionOptions conversion_;
  ProgressOption progress_;
};

}  // namespace

namespace described {
extern const CommandInfo batch{
    "batch", "converts many checkpoints, several at a time",
    "Each line of LIST is a convert of its own: all of it appears at its DST or nothing does, and one that "
    "fails\n"
    "does not stop the others. The options apply to every line; paths are relative to the working folder. A "
    "list\n"
    "in which a DST is another line's DST or SRC, or lies in one, is refused before anything is begun.\n"
    "With --resume a list may be run again at any time: what is done is checked and left as it is.\n"
    "Exit code 1: some failed; 130: interrupted, and what is done stays.\n",
    "  keyshift batch paths.txt --in-place --strip-wrappers --resume\n"
    "  printf 'a/\\ta-new/\\nb/\\tb-new/\\n' | keyshift batch - --transforms rules.json\n"
    "  keyshift batch list.tsv --transforms rules.json --resume --json > results.jsonl\n"
    "  keyshift batch list.tsv --transforms rules.json --resume \\\n"
    "    --task-index \"$SLURM_ARRAY_TASK_ID\" --task-count \"$SLURM_ARRAY_TASK_COUNT\"\n",
    [] { return std::unique_ptr<Command>(new Batch); }};
}  // namespace described

}  // namespace keyshift::tools
