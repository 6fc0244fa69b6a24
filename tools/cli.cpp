#include "tools/cli.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <set>

#include "base/error.h"

namespace keyshift::tools {

namespace {

constexpr std::size_t kHelpColumn = 28;
constexpr std::size_t kHelpWidth = 100;

// One thing that help() shows: a heading, an argument or an option.
struct Line {
  std::string left;
  std::string help;
  bool heading = false;
};

// "-q,--quiet" → "-q, --quiet"; the long name is what messages call it.
std::string spaced(const std::string& names) {
  const std::size_t comma = names.find(',');
  return comma == std::string::npos ? "    " + names
                                    : names.substr(0, comma) + ", " + names.substr(comma + 1);
}

std::string long_name(const std::string& names) { return names.substr(names.find("--")); }

// `help` in lines of kHelpWidth, all after the first indented.
std::string wrapped(std::string_view help) {
  std::string out;
  std::size_t column = kHelpColumn;
  while (!help.empty()) {
    const std::size_t length = std::min(help.find(' '), help.size());
    if (column > kHelpColumn && column + 1 + length > kHelpWidth) {
      out += '\n' + std::string(kHelpColumn, ' ');
      column = kHelpColumn;
    } else if (column > kHelpColumn) {
      out += ' ';
      ++column;
    }
    out += help.substr(0, length);
    column += length;
    help.remove_prefix(std::min(length + 1, help.size()));
  }
  return out;
}

Error usage_error(std::string message) { return {ErrorKind::usage, std::move(message)}; }

unsigned parse_number(const std::string& option, const std::string& text, unsigned least) {
  unsigned value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size() || value < least) {
    throw usage_error(fmt::format("{} takes a whole number from {} on, not {}", option, least, quote(text)));
  }
  return value;
}

}  // namespace

struct Options::State {
  CLI::App app;
  std::vector<Line> lines;
  std::vector<std::string> arguments;       // names, in order: those that must be there …
  std::vector<std::string> may_be_missing;  // … and behind them those that need not
  std::set<std::string> given;              // options that may be given once and were
  std::vector<std::string> value_options;   // long names of options with a value
  bool help_wanted = false;

  void add(const std::string& names, const std::string& placeholder, const std::string& help, bool once,
           Take take) {
    lines.push_back({fmt::format("{} {}", spaced(names), placeholder), help});
    value_options.push_back(long_name(names));
    const std::string option = long_name(names);
    const auto parsed = [this, option, once, take = std::move(take)](const std::string& text) {
      if (once && !given.insert(option).second) throw usage_error(option + " may be given only once");
      take(text);
    };
    app.add_option_function<std::string>(names, parsed, help)->trigger_on_parse();
  }
};

Options::Options() : state_(std::make_unique<State>()) {
  state_->app.set_help_flag();
  state_->app.allow_extras();
  state_->app.add_flag("-h,--help", state_->help_wanted);
}

Options::~Options() = default;

void Options::heading(std::string title) { state_->lines.push_back({std::move(title), {}, true}); }

void Options::argument(const std::string& name, const std::string& help, std::string& value) {
  state_->lines.push_back({name, help});
  state_->arguments.push_back(name);
  state_->app.add_option(name, value, help);
}

void Options::optional_argument(const std::string& name, const std::string& help, std::string& value) {
  state_->lines.push_back({name, help});
  state_->may_be_missing.push_back(name);
  state_->app.add_option(name, value, help);
}

void Options::flag(const std::string& names, const std::string& help, bool& value) {
  state_->lines.push_back({spaced(names), help});
  state_->app.add_flag(names, value, help);
}

void Options::value(const std::string& names, const std::string& placeholder, const std::string& help,
                    std::string& value) {
  state_->add(names, placeholder, help, true, [&value](const std::string& text) { value = text; });
}

void Options::choice(const std::string& names, const std::vector<std::string>& choices,
                     const std::string& help, std::string& value) {
  const std::string placeholder = fmt::format("{}", fmt::join(choices, "|"));
  state_->add(names, placeholder, help, true, [=, &value](const std::string& text) {
    if (std::find(choices.begin(), choices.end(), text) == choices.end()) {
      throw usage_error(
          fmt::format("{} is one of {}, not {}", long_name(names), fmt::join(choices, ", "), quote(text)));
    }
    value = text;
  });
}

void Options::number(const std::string& names, const std::string& placeholder, const std::string& help,
                     unsigned least, unsigned& value) {
  state_->add(names, placeholder, help, true,
              [=, &value](const std::string& text) { value = parse_number(long_name(names), text, least); });
}

void Options::each(const std::string& names, const std::string& placeholder, const std::string& help,
                   Take take) {
  state_->add(names, placeholder, help, false, std::move(take));
}

bool Options::parse(const std::vector<std::string>& arguments) {
  std::vector<std::string> reversed;  // as CLI11 wants them
  for (const std::string& argument : arguments) {
    // CLI11 takes the next argument as the value of `--name=`; the value is empty.
    const bool empty_value =
        argument.ends_with('=') &&
        std::find(state_->value_options.begin(), state_->value_options.end(),
                  argument.substr(0, argument.size() - 1)) != state_->value_options.end();
    reversed.push_back(empty_value ? argument.substr(0, argument.size() - 1) : argument);
    if (empty_value) reversed.emplace_back();
  }
  if (std::find(arguments.begin(), arguments.end(), "--help") != arguments.end()) return true;
  std::reverse(reversed.begin(), reversed.end());
  try {
    state_->app.parse(std::move(reversed));
  } catch (const CLI::ArgumentMismatch& mismatch) {
    const std::string text = mismatch.what();  // "--name: 1 required TEXT missing"
    throw usage_error(fmt::format("{} needs a value", text.substr(0, text.find(':'))));
  } catch (const CLI::ParseError& failure) {
    throw usage_error(failure.what());
  }
  if (state_->help_wanted) return true;
  for (const std::string& rest : state_->app.remaining()) {
    throw usage_error(rest.starts_with("-") && rest.size() > 1
                          ? fmt::format("there is no option {}", quote(rest))
                          : fmt::format("{} is one argument too many", quote(rest)));
  }
  for (const std::string& name : state_->arguments) {
    if (state_->app.get_option(name)->empty()) throw usage_error(name + " is missing");
  }
  return false;
}

std::string Options::usage() const {
  std::string out;
  for (const std::string& name : state_->arguments) out += name + ' ';
  for (const std::string& name : state_->may_be_missing) out += '[' + name + "] ";
  return out + "[options]";
}

std::string Options::help() const {
  std::string out;
  for (const Line& line : state_->lines) {
    if (line.heading) {
      out += fmt::format("{}{}:\n", out.empty() ? "" : "\n", line.left);
      continue;
    }
    const std::string left = "  " + line.left;
    const bool fits = left.size() + 2 <= kHelpColumn;
    out += fits ? fmt::format("{:{}}", left, kHelpColumn) : left + '\n' + std::string(kHelpColumn, ' ');
    out += wrapped(line.help) + '\n';
  }
  return out;
}

}  // namespace keyshift::tools
