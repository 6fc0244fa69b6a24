// Progress on one line of stderr: bar, bytes, rate, time left.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

#include "engine/progress.h"
#include "tools/cli.h"
#include "tools/console.h"

namespace keyshift::tools {

/// One line, at most `width` columns, that tells where long work stands. `seconds`: since it began.
std::string progress_line(std::string_view what, std::uint64_t done, std::uint64_t total, double seconds,
                          unsigned width);

/// On a terminal one line is drawn again and again, at most ten times a second, and wiped at the end, so that
/// nothing else ever shares it. Elsewhere (`--progress always`) it is a line a second. Calls after end() are
/// let pass: small files follow.
class ProgressBar : public Progress {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;

  /// Borrows the console. `shown`: false for one that stays silent.
  ProgressBar(Console& console, bool shown, Clock clock = std::chrono::steady_clock::now);
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  /// Wipes the line, also when an error passes.
  ~ProgressBar() override;

  void begin(std::string_view what, std::uint64_t total) override;
  void advance(std::uint64_t bytes) override;
  void end() override;
  /// Runs `tell`, which writes to the terminal, while the line is away. Also without one.
  void aside(const std::function<void()>& tell);

 private:
  void draw(double seconds);
  void wipe();
  void wipe_line();

  Console& console_;
  const bool shown_;
  const Clock clock_;
  std::string what_;
  std::uint64_t total_ = 0;
  std::chrono::steady_clock::time_point began_;
  std::atomic<std::uint64_t> done_{0};
  std::atomic<std::int64_t> next_draw_{0};  // nanoseconds since began_; none before it
  std::atomic<bool> active_{false};
  std::mutex drawing_;
  bool line_is_there_ = false;
};

/// `--progress auto|always|never`.
class ProgressOption {
 public:
  void declare(Options& options);
  bool shown(const Console& console) const;

 private:
  std::string when_ = "auto";
};

}  // namespace keyshift::tools
