// Options of a command: declared once, parsed by CLI11 (its one owner is cli.cpp), shown by --help.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace keyshift::tools {

/// Declarations borrow the variables that they fill; these must live until parse() is done.
class Options {
 public:
  using Take = std::function<void(const std::string&)>;

  Options();
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;
  ~Options();

  /// Options declared from here on stand under this heading in the help.
  void heading(std::string title);
  /// An argument without a name, in the order of declaration. `name`: upper case, as the help shows it.
  void argument(const std::string& name, const std::string& help, std::string& value);
  /// The same, and it may be left out; comes after those that may not.
  void optional_argument(const std::string& name, const std::string& help, std::string& value);
  /// `names`: "-q,--quiet".
  void flag(const std::string& names, const std::string& help, bool& value);
  /// An option that may be given once. `placeholder`: what stands for its value in the help.
  void value(const std::string& names, const std::string& placeholder, const std::string& help,
             std::string& value);
  /// As value(); only `choices` are accepted.
  void choice(const std::string& names, const std::vector<std::string>& choices, const std::string& help,
              std::string& value);
  /// As value(); a whole number from `least` on.
  void number(const std::string& names, const std::string& placeholder, const std::string& help,
              unsigned least, unsigned& value);
  /// An option that may be repeated: `take` is called at once, so that different options keep the order in
  /// which they were given. It may throw Error.
  void each(const std::string& names, const std::string& placeholder, const std::string& help, Take take);

  /// True if --help was asked for; the rest of the line is then not looked at. Errors: usage, and those of
  /// the callbacks.
  bool parse(const std::vector<std::string>& arguments);
  /// "PATH [options]", then each option with its text, for the help.
  std::string usage() const;
  std::string help() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace keyshift::tools
