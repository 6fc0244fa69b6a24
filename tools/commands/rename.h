// The filter: keys in, renamed keys out.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tools/console.h"
#include "tools/transform_options.h"
#include "transforms/renamed_keys.h"

namespace keyshift::tools {

/// Keys of a filter's input; the views borrow from its text.
struct KeyList {
  std::unique_ptr<const std::string> text;  // as it was read, in a place that stays
  std::vector<std::string_view> keys;
};

/// All of `in`. Errors: io, interrupted.
std::string read_all(Input& in, const Interrupt& interrupt);
/// Lines; the last one may lack its newline. Errors: key_not_utf8, entry_invalid (a tab, or CR LF) with the
/// line's number. `name`: of the input, for messages.
KeyList keys_of_lines(std::string text, const std::string& name = "standard input");
/// A JSON array of strings. Errors: entry_invalid, header_not_json, key_not_utf8 with the place.
KeyList keys_of_json(std::string text);

/// Two or more different keys that became one.
struct CollidingKeys {
  std::string_view to;
  std::vector<std::string_view> from;  // in input order, each once
};
std::vector<CollidingKeys> find_colliding_keys(const std::vector<std::string_view>& keys,
                                               const RenamedKeys& renamed);

/// What a run made of the keys.
struct RenameAnswer {
  const std::vector<std::string_view>& keys;
  const RenamedKeys& renamed;
  const std::vector<bool>& used;
  const std::vector<CollidingKeys>& collisions;
  const TargetReport* target = nullptr;  // with --target
};
/// Errors: entry_invalid (a new key that holds a newline or a tab needs JSON).
void check_lines(const RenameAnswer& answer);
/// Of an answer that was checked. Errors: io; throws ReaderGone.
void write_lines(const RenameAnswer& answer, Output& out);
/// keyshift-rename/1. Errors: io; throws ReaderGone.
void write_json(const RenameAnswer& answer, Output& out);

}  // namespace keyshift::tools
