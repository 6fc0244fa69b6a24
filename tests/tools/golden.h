// Commands run in this process, as a user would type them, and their whole output held against a file of
// tests/tools/golden/. KEYSHIFT_ACCEPT=1 in the environment rewrites those files instead: look at the diff.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace keyshift::test {

struct Terminal {
  bool colour = false;
  bool in_is_terminal = false;
  bool err_is_terminal = false;
};

struct Ran {
  int code = 0;
  std::string out, err;
};

/// Runs one command line. `in`: what comes on standard input.
Ran run_command(const std::vector<std::string>& arguments, std::string_view in = {}, Terminal terminal = {});

/// The command line, its output, its errors and its exit code as one text, with times, rates, free space
/// and the digests of receipts taken out, for they differ from run to run or from machine to machine.
std::string transcript(const std::vector<std::string>& arguments, std::string_view in = {},
                       Terminal terminal = {});

/// The transcripts of several command lines, one after another.
std::string transcripts(const std::vector<std::vector<std::string>>& lines);

/// Fails the test unless `text` is that of tests/tools/golden/NAME.txt.
void check_golden(const std::string& name, const std::string& text);

/// The working folder of a test: a new one, that holds `sample`, what the command sample writes. Gone
/// afterwards, and the old working folder is back.
class InSampleFolder {
 public:
  InSampleFolder();
  InSampleFolder(const InSampleFolder&) = delete;
  InSampleFolder& operator=(const InSampleFolder&) = delete;
  ~InSampleFolder();

 private:
  std::string before_, folder_;
};

}  // namespace keyshift::test
