// Characters and sets of a Python pattern, written for PCRE2.
#pragma once

#include <string>
#include <string_view>

#include "transforms/python_regex.h"

namespace keyshift::regex {

/// Appends a literal node's characters, a set node.
void append_literal(std::string& out, const Node& literal);
void append_set(std::string& out, const Node& set);

/// Whether what they append for `node` is one item, so that a quantifier can follow it.
bool is_one_character(const Node& node);

/// The set of characters that Python takes for parts of a word.
std::string_view word_set();

}  // namespace keyshift::regex
