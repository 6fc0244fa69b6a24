// Lines that are renamed while others are read and written: what all at once gives, or nothing at all.
#include "tools/commands/rename_stream.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include "support/temporary_folder.h"
#include "tools/program.h"
#include "transforms/rename_run.h"
#include "transforms/transform_file.h"

using namespace keyshift;
using namespace keyshift::tools;

namespace {

class FileIn : public Input {
 public:
  explicit FileIn(std::string_view text) : text_(text), rest_(text) {}
  std::size_t read(std::span<char> room) override {
    const std::size_t size = std::min({room.size(), rest_.size(), kMost});
    std::copy_n(rest_.data(), size, room.data());
    rest_.remove_prefix(size);
    return size;
  }
  std::uint64_t expected() const noexcept override { return rest_.size(); }
  bool mark() override { return can_go_back_; }
  void go_back() override { rest_ = text_; }

  bool can_go_back_ = true;
  std::string_view rest() const { return rest_; }

 private:
  static constexpr std::size_t kMost = 70'001;  // bytes at once: less than was asked for
  std::string_view text_, rest_;
};

class FileOut : public Output {
 public:
  void write(std::string_view text) override {
    text_ += text;
    if (text_.size() > room_) throw Error(ErrorKind::io, "the disk is full");
  }
  bool mark() override {
    mark_ = text_.size();
    return can_go_back_;
  }
  void take_back() override { text_.resize(mark_); }

  bool can_go_back_ = true;
  std::string text_ = "before\n";
  std::size_t room_ = static_cast<std::size_t>(-1), mark_ = 0;
};

std::shared_ptr<const Renaming> renaming_of(std::initializer_list<const char*> renames) {
  TransformList list;
  for (const char* rename : renames) list.transforms.push_back(parse_rename_option(rename));
  return std::make_shared<const Renaming>(list, RenamingOptions{});
}

std::string lines_of(std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; text.size() < bytes; ++i)
    text += "model.layers." + std::to_string(i) + ".mlp.experts." + std::to_string(i % 7) + ".weight\n";
  return text;
}

std::string all_at_once(const TransformTrie& trie, const std::string& text) {
  std::string out, line;
  PlainRun run(trie.renaming());
  for (std::istringstream lines(text); std::getline(lines, line);)
    out += line + '\t' + run.rename(line) + '\n';
  return out;
}

// Not doctest's own comparison: it would print megabytes.
bool is_renamed(const std::string& text) {
  const TransformTrie trie(renaming_of({"^model=>m", R"(experts.(\d+).weight=>e.\1.w)", "nowhere=>else"}));
  FileIn in(text);
  FileOut out;
  const Interrupt interrupt;
  return rename_stream(trie, in, out, interrupt) && out.text_ == "before\n" + all_at_once(trie, text);
}

// Nothing happened: it is for those who take all lines at once.
bool is_left_alone(const std::string& text, std::initializer_list<const char*> renames = {"^model=>m"}) {
  const TransformTrie trie(renaming_of(renames));
  FileIn in(text);
  FileOut out;
  const Interrupt interrupt;
  return !rename_stream(trie, in, out, interrupt) && out.text_ == "before\n" && in.rest() == text;
}

}  // namespace

TEST_CASE("lines renamed while others are read have the names that one transform after another gives") {
  const std::string text = lines_of(3U << 20U);
  CHECK(is_renamed(text));
  CHECK(is_renamed(text.substr(0, text.size() - 1)));
  CHECK(is_renamed(text.substr(text.size() / 2)));  // fewer than are worth a thread
  CHECK(is_renamed("a\n"));
  CHECK(is_renamed("a"));
}

TEST_CASE("every line is cut right wherever a piece may end in it") {
  for (std::size_t shift = 0; shift < 64; ++shift)
    CHECK(is_renamed(std::string(shift + 1, 'x') + "\n" + lines_of(300'000)));
}

TEST_CASE("lines that are not plain are left alone, wherever they come") {
  const std::string text = lines_of(2U << 20U);
  for (const std::size_t place : {std::size_t{0}, std::size_t{63}, text.size() / 2, text.size() - 1}) {
    for (const std::string bytes : {"\t", "\xFF", "\xC3\xA9", "\r\n", "\x1F", "\n\n"}) {
      std::string with = text;
      with.insert(place, bytes);
      CHECK(is_left_alone(with));
    }
  }
}

TEST_CASE("new names that may be there twice, or that no line or file can hold, leave all lines alone") {
  const std::string text = lines_of(2U << 20U);
  CHECK(is_left_alone(text + text));
  CHECK(is_left_alone(text + "a.1\na.2\n", {"^a\\..=>b"}));
  CHECK(is_left_alone(text + "m.layers.0.mlp.experts.0.weight\n"));
  CHECK(is_left_alone(text + "a\n", {"^a$=>"}));
  CHECK(is_left_alone(text + "a\n", {"^a$=>__metadata__"}));
  CHECK(is_left_alone(text + "a\n", {"^a$=>x\ty"}));
  CHECK(is_left_alone(text + "a\n", {"^a$=>x\ny"}));
}

TEST_CASE("a line longer than a piece and a key that cannot be renamed leave all lines alone") {
  const std::string text = lines_of(2U << 20U);
  CHECK(is_left_alone(text + std::string(1U << 20U, 'x') + "\n" + text));
  CHECK(is_left_alone(text + "a.x\n", {"^a\\.(b)?x=>\\1"}));
}

TEST_CASE("where there is no going back nothing is read or written") {
  const std::string text = lines_of(2U << 20U);
  const TransformTrie trie(renaming_of({"^model=>m"}));
  const Interrupt interrupt;
  for (const bool in_can : {true, false}) {
    FileIn in(text);
    FileOut out;
    in.can_go_back_ = in_can;
    out.can_go_back_ = !in_can;
    CHECK_FALSE(rename_stream(trie, in, out, interrupt));
    CHECK(out.text_ == "before\n");
    CHECK(in.rest().size() == text.size());
  }
}

TEST_CASE("what was written is taken back when the output fails or ^C is pressed") {
  const std::string text = lines_of(3U << 20U);
  const TransformTrie trie(renaming_of({"^model=>m"}));
  Interrupt interrupt;
  FileIn in(text);
  FileOut out;
  out.room_ = 2U << 20U;
  CHECK_THROWS_WITH_AS(rename_stream(trie, in, out, interrupt), "the disk is full", Error);
  CHECK(out.text_ == "before\n");
  interrupt.request();
  FileIn again(text);
  FileOut roomy;
  CHECK_THROWS_WITH_AS(rename_stream(trie, again, roomy, interrupt), "interrupted; nothing was published",
                       Error);
  CHECK(roomy.text_ == "before\n");
}

namespace {

struct FileRun {
  int code = -1;
  std::string out, err;
};

// The program in a process of its own, files in and out; `out_flags` besides O_WRONLY and O_CREAT.
FileRun run_on_files(const std::string& text, const std::string& rename, int out_flags,
                     std::string_view before = "") {
  const test::TemporaryFolder folder;
  const auto path = [&](const char* name) { return (folder.path() / name).string(); };
  const auto content = [&](const char* name) {
    std::ostringstream all;
    all << std::ifstream(path(name)).rdbuf();
    return all.str();
  };
  std::ofstream(path("in")) << text;
  std::ofstream(path("out")) << before;
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(::open(path("in").c_str(), O_RDONLY), STDIN_FILENO);
    ::dup2(::open(path("out").c_str(), O_WRONLY | out_flags), STDOUT_FILENO);
    ::dup2(::open(path("err").c_str(), O_WRONLY | O_CREAT, 0666), STDERR_FILENO);
    std::string words[] = {"keyshift", "rename", "--rename", rename};
    char* arguments[] = {words[0].data(), words[1].data(), words[2].data(), words[3].data(), nullptr};
    ::_exit(run_program(4, arguments));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, content("out"), content("err")};
}

}  // namespace

TEST_CASE("a process that renames from a file into a file writes the lines, whatever way it goes") {
  const std::string text = lines_of(2U << 20U);
  const TransformTrie trie(renaming_of({"^model=>m"}));
  const std::string expected = all_at_once(trie, text);
  const FileRun fresh = run_on_files(text, "^model=>m", O_TRUNC);
  CHECK(fresh.code == 0);
  CHECK(fresh.out == expected);
  CHECK(run_on_files(text, "^model=>m", O_APPEND, "before\n").out == "before\n" + expected);
  CHECK(run_on_files(text, "^model=>m", 0, "before\n").out == expected);
}

TEST_CASE("a process that fails on its last line leaves its file empty, and one with collisions full") {
  const std::string text = lines_of(2U << 20U);
  const FileRun failed = run_on_files(text + "a\n", "^a$=>", O_TRUNC);
  CHECK(failed.code == 3);
  CHECK(failed.out.empty());
  CHECK(failed.err == "keyshift: error: key \"a\": would be renamed to nothing; change the transforms\n");
  const FileRun collided = run_on_files(text + "a.1\na.2\n", R"(^a\.\d=>a)", O_TRUNC);
  CHECK(collided.code == 1);
  CHECK(collided.out == all_at_once(TransformTrie(renaming_of({R"(^a\.\d=>a)"})), text) + "a.1\ta\na.2\ta\n");
  CHECK(collided.err == "keyshift: warning: collision: \"a.1\" and \"a.2\" would become \"a\"\n");
}
