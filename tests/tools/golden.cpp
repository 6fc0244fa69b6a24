#include "tools/golden.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <regex>

#include "support/temporary_folder.h"
#include "tools/commands/sample.h"
#include "tools/program.h"

namespace keyshift::test {

namespace fs = std::filesystem;

namespace {

class TextInput : public tools::Input {
 public:
  explicit TextInput(std::string_view text) : text_(text) {}
  std::size_t read(std::span<char> room) override {
    const std::size_t size = std::min(room.size(), text_.size());
    std::copy_n(text_.data(), size, room.data());
    text_.remove_prefix(size);
    return size;
  }

 private:
  std::string_view text_;
};

class TextOutput : public tools::Output {
 public:
  void write(std::string_view text) override { text_ += text; }
  std::string text_;
};

std::string without_chance(const std::string& text) {
  static const std::regex kTime(R"([0-9.:]+ (s|min) \([0-9.]+ [kMGT]?B/s\))");
  static const std::regex kSeconds(R"("seconds":[-+.e0-9]+)");
  static const std::regex kFree(R"([0-9.]+ [kMGTP]?B are free)");
  static const std::regex kFreeBytes(R"("free_bytes":[0-9]+)");
  // Of a receipt: it changes with every version of libdeflate.
  static const std::regex kReceipt(
      R"((\.json, digest |receipt\.json","xxh3_128":"|"receipt_digest":")[0-9a-f]{32})");
  std::string out = std::regex_replace(text, kTime, "TIME (RATE)");
  out = std::regex_replace(out, kReceipt, "$1DIGEST");
  out = std::regex_replace(out, kSeconds, "\"seconds\":TIME");
  out = std::regex_replace(out, kFree, "SPACE are free");
  return std::regex_replace(out, kFreeBytes, "\"free_bytes\":SPACE");
}

}  // namespace

Ran run_command(const std::vector<std::string>& arguments, std::string_view in, Terminal terminal) {
  TextInput input(in);
  TextOutput out, err;
  const Interrupt interrupt;
  tools::Console console{input, out, err, interrupt};
  console.colour = terminal.colour;
  console.in_is_terminal = terminal.in_is_terminal;
  console.err_is_terminal = terminal.err_is_terminal;
  const int code = tools::run(arguments, console);
  return {code, out.text_, err.text_};
}

std::string transcript(const std::vector<std::string>& arguments, std::string_view in, Terminal terminal) {
  const Ran ran = run_command(arguments, in, terminal);
  std::string text = "$ keyshift";
  for (const std::string& argument : arguments) {
    const bool plain = argument.find_first_of(" '\"=>*\\^[]") == std::string::npos && !argument.empty();
    text += plain ? fmt::format(" {}", argument) : fmt::format(" '{}'", argument);
  }
  text += '\n';
  text += ran.out;
  if (!ran.out.empty() && !ran.out.ends_with('\n')) text += "(no newline)\n";
  if (!ran.err.empty()) text += "[stderr]\n" + ran.err;
  return without_chance(text + fmt::format("[exit {}]\n", ran.code));
}

std::string transcripts(const std::vector<std::vector<std::string>>& lines) {
  std::string all;
  for (const std::vector<std::string>& line : lines) all += transcript(line) + '\n';
  return all;
}

void check_golden(const std::string& name, const std::string& text) {
  const fs::path path = fs::path(KEYSHIFT_GOLDEN_FOLDER) / (name + ".txt");
  const char* accept = std::getenv("KEYSHIFT_ACCEPT");
  if (accept != nullptr && *accept == '1') {
    std::ofstream(path, std::ios::binary) << text;
    return;
  }
  INFO("golden file " << path.string() << "; KEYSHIFT_ACCEPT=1 rewrites it");
  CHECK(text == read_file(path));
}

InSampleFolder::InSampleFolder() : before_(fs::current_path().string()) {
  std::string name = (fs::temp_directory_path() / "keyshift-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  folder_ = name;
  fs::current_path(folder_);
  tools::write_sample("sample", Interrupt());
}

InSampleFolder::~InSampleFolder() {
  std::error_code ignored;
  fs::current_path(before_, ignored);
  fs::remove_all(folder_, ignored);
}

}  // namespace keyshift::test
