#include "tools/progress_bar.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/style.h"

namespace keyshift::tools {

namespace {

using std::chrono::duration_cast;
using std::chrono::nanoseconds;

constexpr nanoseconds kOnTerminal = std::chrono::milliseconds(100);
constexpr nanoseconds kElsewhere = std::chrono::seconds(1);

std::string bar(double part) {
  constexpr int kWidth = 24;
  const int full = static_cast<int>(part * kWidth);
  return fmt::format("[{:#<{}}{: <{}}]", "", full, "", kWidth - full);
}

}  // namespace

std::string progress_line(std::string_view what, std::uint64_t done, std::uint64_t total, double seconds,
                          unsigned width) {
  const double part =
      total == 0 ? 1.0 : std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  std::string numbers = fmt::format("{:3.0f} %  {} of {}", part * 100, human_bytes(done), human_bytes(total));
  // In the first moments a rate says nothing.
  if (seconds >= 0.2 && rate > 0) {
    numbers += fmt::format("  {}/s", human_bytes(static_cast<std::uint64_t>(rate)));
    if (done < total)
      numbers += fmt::format("  {} left", human_seconds(static_cast<double>(total - done) / rate));
  }
  std::string line = fmt::format("{}  {}  {}", what, bar(part), numbers);
  if (line.size() > width) line = fmt::format("{}  {}", what, numbers);
  if (line.size() > width) line.resize(width);
  return line;
}

ProgressBar::ProgressBar(Console& console, bool shown, Clock clock)
    : console_(console), shown_(shown), clock_(std::move(clock)) {}

ProgressBar::~ProgressBar() { end(); }

void ProgressBar::begin(std::string_view what, std::uint64_t total) {
  what_ = what;
  total_ = total;
  began_ = clock_();
  done_ = 0;
  next_draw_ = duration_cast<nanoseconds>(kOnTerminal).count();
  active_ = shown_;
}

void ProgressBar::advance(std::uint64_t bytes) {
  if (!active_.load(std::memory_order_relaxed)) return;
  done_.fetch_add(bytes, std::memory_order_relaxed);
  const nanoseconds passed = clock_() - began_;
  std::int64_t due = next_draw_.load(std::memory_order_relaxed);
  if (passed.count() < due) return;
  const nanoseconds pause = console_.err_is_terminal ? kOnTerminal : kElsewhere;
  // Of several threads that find it due, one draws.
  if (!next_draw_.compare_exchange_strong(due, (passed + pause).count())) return;
  draw(std::chrono::duration<double>(passed).count());
}

void ProgressBar::draw(double seconds) {
  const std::lock_guard lock(drawing_);
  const unsigned width = console_.err_is_terminal && console_.width ? console_.width() - 1 : 120;
  const std::string line = progress_line(what_, done_, total_, seconds, width);
  try {
    console_.err.write(console_.err_is_terminal ? "\r" + line + "\033[K" : line + '\n');
  } catch (...) {  // who cannot be shown progress is spared it
    active_ = false;
  }
  line_is_there_ = true;
}

void ProgressBar::end() {
  if (!active_.exchange(false)) return;
  wipe();
}

void ProgressBar::wipe() {
  const std::lock_guard lock(drawing_);
  wipe_line();
}

void ProgressBar::aside(const std::function<void()>& tell) {
  const std::lock_guard lock(drawing_);
  wipe_line();
  tell();
}

void ProgressBar::wipe_line() {
  if (!line_is_there_ || !console_.err_is_terminal) return;
  line_is_there_ = false;
  try {
    console_.err.write("\r\033[K");
  } catch (...) {
  }
}

void ProgressOption::declare(Options& options) {
  options.choice("--progress", {"auto", "always", "never"},
                 "auto: on a terminal (default); always: elsewhere too, a line a second", when_);
}

bool ProgressOption::shown(const Console& console) const {
  if (console.quiet || when_ == "never") return false;
  return when_ == "always" || console.err_is_terminal;
}

}  // namespace keyshift::tools
