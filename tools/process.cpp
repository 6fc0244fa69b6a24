// The process as a Console: descriptors, terminal, signals. Nothing else in tools/ makes system calls.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>

#include "base/crash_cleanup.h"
#include "tools/program.h"

namespace keyshift::tools {

namespace {

Interrupt interrupt;
volatile sig_atomic_t interrupts = 0;

// The first ^C asks the run to clean up and end. Who presses it a third time does not want to wait for that:
// what is left behind is removed by the next run.
extern "C" void on_interrupt(int signal) {
  interrupt.request();
  interrupts = interrupts + 1;
  if (interrupts > 2) {
    ::signal(signal, SIG_DFL);
    ::raise(signal);
  }
}

// A file became shorter, or its disk failed, between the moment when a page of its mapping was asked for and
// the one when it was read. Nothing can be unwound from here: only calls that are safe in a handler are made.
extern "C" void on_bus_error(int) {
  static std::atomic_flag ending = ATOMIC_FLAG_INIT;
  while (ending.test_and_set()) ::pause();  // another thread is at it
  constexpr std::string_view kWords =
      "keyshift: error: a file became shorter while it was read, or its disk failed; nothing was published\n";
  [[maybe_unused]] const ssize_t told = ::write(STDERR_FILENO, kWords.data(), kWords.size());
  CrashCleanup::remove_all();
  ::_exit(kInputOutput);
}

void handle_signals() {
  struct sigaction action {};
  action.sa_handler = on_interrupt;  // no SA_RESTART: a read that waits ends with EINTR
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction old {};
    ::sigaction(signal, nullptr, &old);
    if (old.sa_handler != SIG_IGN) ::sigaction(signal, &action, nullptr);  // nohup stays in force
  }
  struct sigaction bus {};
  bus.sa_handler = on_bus_error;
  sigemptyset(&bus.sa_mask);
  ::sigaction(SIGBUS, &bus, nullptr);
  ::signal(SIGPIPE, SIG_IGN);  // a write says EPIPE instead
  ::signal(SIGXFSZ, SIG_IGN);  // a write beyond `ulimit -f` says EFBIG
}

// Every shard stays open, and there may be more of them than a process is granted without asking.
void allow_many_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

class DescriptorInput : public Input {
 public:
  std::size_t read(std::span<char> room) override {
    while (true) {
      const ssize_t got = ::read(STDIN_FILENO, room.data(), room.size());
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) throw io_error("cannot read standard input", errno);
      interrupt.check();
    }
  }
  std::uint64_t expected() const noexcept override {
    struct stat status {};
    if (::fstat(STDIN_FILENO, &status) != 0 || !S_ISREG(status.st_mode)) return 0;
    const off_t place = ::lseek(STDIN_FILENO, 0, SEEK_CUR);
    return place < 0 || place > status.st_size ? 0 : static_cast<std::uint64_t>(status.st_size - place);
  }
  bool mark() override {
    mark_ = ::lseek(STDIN_FILENO, 0, SEEK_CUR);
    return expected() != 0;
  }
  void go_back() override {
    if (::lseek(STDIN_FILENO, mark_, SEEK_SET) < 0) throw io_error("cannot go back in standard input", errno);
  }

 private:
  off_t mark_ = 0;
};

class DescriptorOutput : public Output {
 public:
  DescriptorOutput(int descriptor, const char* name) : descriptor_(descriptor), name_(name) {}
  void write(std::string_view text) override {
    while (!text.empty()) {
      const ssize_t written = ::write(descriptor_, text.data(), text.size());
      if (written < 0 && errno == EPIPE) throw ReaderGone{};
      if (written < 0 && errno == EINTR) {
        interrupt.check();
        continue;
      }
      if (written < 0) throw io_error(std::string("cannot write to ") + name_, errno);
      text.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  // Only at the end of a file of which nobody else appends: what comes behind the mark is then ours.
  bool mark() override {
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) return false;
    const int flags = ::fcntl(descriptor_, F_GETFL);
    mark_ = ::lseek(descriptor_, 0, SEEK_CUR);
    return flags >= 0 && (flags & O_APPEND) == 0 && mark_ == status.st_size;
  }
  void take_back() override {
    if (::ftruncate(descriptor_, mark_) != 0 || ::lseek(descriptor_, mark_, SEEK_SET) < 0)
      throw io_error(std::string("cannot take back what was written to ") + name_, errno);
  }

 private:
  int descriptor_;
  const char* name_;
  off_t mark_ = 0;
};

bool shows_colour() {
  const char* no_colour = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) != 0 && (no_colour == nullptr || *no_colour == '\0') &&
         terminal != nullptr && strcmp(terminal, "dumb") != 0;
}

unsigned terminal_width() {
  winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

}  // namespace

int run_program(int argc, char** argv) {
  handle_signals();
  allow_many_files();
  DescriptorInput in;
  DescriptorOutput out(STDOUT_FILENO, "standard output"), err(STDERR_FILENO, "standard error");
  Console console{in, out, err, interrupt};
  console.in_is_terminal = ::isatty(STDIN_FILENO) != 0;
  console.err_is_terminal = ::isatty(STDERR_FILENO) != 0;
  console.colour = shows_colour();
  console.width = terminal_width;
  return run({argv + 1, argv + argc}, console);
}

}  // namespace keyshift::tools
