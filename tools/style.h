// Colours and how numbers read: what people see.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace keyshift::tools {

/// Wraps text in a terminal's colours, or leaves it as it is.
class Style {
 public:
  explicit Style(bool on) : on_(on) {}
  std::string bold(std::string_view text) const { return wrap("1", text); }
  std::string dim(std::string_view text) const { return wrap("2", text); }
  std::string dtype(std::string_view text) const { return wrap("36", text); }
  std::string size(std::string_view text) const { return wrap("32", text); }
  std::string number(std::string_view text) const { return wrap("33", text); }
  std::string bad(std::string_view text) const { return wrap("31", text); }

 private:
  std::string wrap(std::string_view code, std::string_view text) const;
  bool on_;
};

/// "16.1 GB": decimal units, three digits.
std::string human_bytes(std::uint64_t bytes);
/// "91,000".
std::string grouped(std::uint64_t number);
/// "1 tensor", "2 tensors", "1,856 tensors".
std::string counted(std::uint64_t number, std::string_view noun);
/// "3.2 s", "2:05 min".
std::string human_seconds(double seconds);
/// `text` as it may go to a terminal: as it is, or through quote() when it holds what a terminal would act
/// on.
std::string printable(std::string_view text);
/// A path as a JSON text can hold it: bytes that are no UTF-8 are shown as printable() shows them.
std::string path_text(const std::filesystem::path& path);
/// Columns that `text` (valid UTF-8) takes, one per code point.
std::size_t columns(std::string_view text);

}  // namespace keyshift::tools
