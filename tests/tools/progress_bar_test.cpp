#include "tools/progress_bar.h"

#include <doctest/doctest.h>

using keyshift::tools::Console;
using keyshift::tools::progress_line;
using keyshift::tools::ProgressBar;

namespace {

using Time = std::chrono::steady_clock::time_point;
using std::chrono::milliseconds;

struct Kept : keyshift::tools::Output {
  void write(std::string_view text) override { text_ += text; }
  std::string text_;
};

struct NoInput : keyshift::tools::Input {
  std::size_t read(std::span<char>) override { return 0; }
};

struct Screen {
  NoInput in;
  Kept out, err;
  keyshift::Interrupt interrupt;
  Console console{in, out, err, interrupt};
  Time now{};
  ProgressBar::Clock clock() {
    return [this] { return now; };
  }
};

}  // namespace

TEST_CASE("a line tells part, bytes, rate and time left") {
  CHECK(progress_line("copying", 1'000'000'000, 4'000'000'000, 2.0, 100) ==
        "copying  [######                  ]   25 %  1.00 GB of 4.00 GB  500 MB/s  6.0 s left");
}

TEST_CASE("a line without a rate yet, at the end, and of nothing at all") {
  CHECK(progress_line("copying", 10, 100, 0.1, 100) ==
        "copying  [##                      ]   10 %  10 B of 100 B");
  CHECK(progress_line("copying", 100, 100, 1.0, 100) ==
        "copying  [########################]  100 %  100 B of 100 B  100 B/s");
  CHECK(progress_line("copying", 0, 0, 0, 100) == "copying  [########################]  100 %  0 B of 0 B");
  CHECK(progress_line("copying", 200, 100, 1.0, 100) ==
        "copying  [########################]  100 %  200 B of 100 B  200 B/s");
}

TEST_CASE("a narrow terminal loses the bar first, then the end of the line") {
  CHECK(progress_line("copying", 1'000'000'000, 4'000'000'000, 2.0, 60) ==
        "copying   25 %  1.00 GB of 4.00 GB  500 MB/s  6.0 s left");
  CHECK(progress_line("copying", 1'000'000'000, 4'000'000'000, 2.0, 20) == "copying   25 %  1.00");
}

TEST_CASE("on a terminal one line is drawn ten times a second at most, and wiped") {
  Screen screen;
  screen.console.err_is_terminal = true;
  screen.console.width = [] { return 80U; };
  ProgressBar bar(screen.console, true, screen.clock());
  bar.begin("copying", 100);
  bar.advance(10);
  CHECK(screen.err.text_.empty());
  screen.now += milliseconds(100);
  bar.advance(10);
  const std::string first = "\rcopying  [####                    ]   20 %  20 B of 100 B\033[K";
  CHECK(screen.err.text_ == first);
  screen.now += milliseconds(99);
  bar.advance(10);
  CHECK(screen.err.text_ == first);
  bar.end();
  CHECK(screen.err.text_ == first + "\r\033[K");
  bar.advance(10);  // small files follow
  bar.end();
  CHECK(screen.err.text_ == first + "\r\033[K");
}

TEST_CASE("an error on its way wipes the line") {
  Screen screen;
  screen.console.err_is_terminal = true;
  {
    ProgressBar bar(screen.console, true, screen.clock());
    bar.begin("copying", 100);
    screen.now += milliseconds(100);
    bar.advance(10);
  }
  CHECK(screen.err.text_.ends_with("\r\033[K"));
}

TEST_CASE("elsewhere it is a line a second, and silence where it is not to be shown") {
  Screen screen;
  ProgressBar bar(screen.console, true, screen.clock());
  bar.begin("copying", 100);
  for (int i = 0; i < 15; ++i) {
    screen.now += milliseconds(100);
    bar.advance(1);
  }
  CHECK(screen.err.text_ ==
        "copying  [                        ]    1 %  1 B of 100 B\n"
        "copying  [##                      ]   11 %  11 B of 100 B  10 B/s  8.9 s left\n");
  ProgressBar silent(screen.console, false, screen.clock());
  screen.err.text_.clear();
  silent.begin("copying", 100);
  screen.now += milliseconds(1000);
  silent.advance(50);
  silent.end();
  CHECK(screen.err.text_.empty());
}
