// Where a command reads and writes: injected, so that a test can be the terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/interrupt.h"

namespace keyshift::tools {

/// Whoever read our output has gone (`| head -1`): nobody is left to tell, so it is ended quietly.
struct ReaderGone {};

class Input {
 public:
  virtual ~Input() = default;
  /// Bytes read, at most `room.size()`; 0 at the end. Errors: io, interrupted.
  virtual std::size_t read(std::span<char> room) = 0;
  /// Bytes that are still to come, where that is known; else 0.
  virtual std::uint64_t expected() const noexcept { return 0; }
  /// Remembers this place for go_back(); false where there is no going back.
  virtual bool mark() { return false; }
  /// To be read again from the mark on. Errors: io.
  virtual void go_back() {}
};

class Output {
 public:
  virtual ~Output() = default;
  /// Writes all of `text`. Errors: io; throws ReaderGone.
  virtual void write(std::string_view text) = 0;
  /// Remembers this place for take_back(); false where what is written has left us.
  virtual bool mark() { return false; }
  /// Unwrites all that was written since the mark. Errors: io.
  virtual void take_back() {}
};

/// Borrows its parts, which must outlive it.
struct Console {
  Input& in;
  Output& out;
  Output& err;
  const Interrupt& interrupt;
  bool in_is_terminal = false;
  bool err_is_terminal = false;
  bool colour = false;                // of out: it is a terminal that shows colours, and NO_COLOR is not set
  std::function<unsigned()> width{};  // columns of the terminal behind err, asked whenever it matters
  bool quiet = false;                 // set by --quiet: notes and warnings are not shown

  /// One line on err, "keyshift: warning: …"; not with --quiet. Never fails: there is nobody else to tell.
  void warn(std::string_view text);
  /// One line on err as it is, for what is worth knowing and no warning; not with --quiet. Never fails.
  void note(std::string_view text);
  /// One line on err, "keyshift: error: …". Never fails.
  void error(std::string_view text);
  /// Writes `text`, the whole answer of a command, to out and returns `code`: a reader that has gone did not
  /// want more, and the answer stays what it is. Errors: io.
  int answer(std::string_view text, int code);

 private:
  void say(std::string_view prefix, std::string_view text);
};

/// Exit codes: part of the program's interface.
enum ExitCode : int {
  kDone = 0,
  kAnswerIsNo = 1,
  kUsage = 2,
  kBadInput = 3,
  kInputOutput = 4,
  kInterrupted = 130,
};

}  // namespace keyshift::tools
